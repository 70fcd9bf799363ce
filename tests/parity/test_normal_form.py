# SPDX-License-Identifier: Apache-2.0
"""The comparison itself: what it takes for the same, and what it must not."""

import unittest

import normal_form
from cases import Case
from normal_form import Difference
from stepop import differences


class Quantities(unittest.TestCase):
    def test_they_are_written_as_kubernetes_does(self):
        for text, canonical in (
                ("1024Mi", "1Gi"), ("1408Mi", "1408Mi"), ("1000m", "1"), ("0.5", "500m"),
                ("1500m", "1500m"), ("2", "2"), ("0", "0"), ("1024", "1024"), ("1e3", "1e3"),
                ("1Gi", "1Gi"), ("0.5Gi", "512Mi"), ("x", "x")):
            with self.subTest(text):
                self.assertEqual(normal_form.canonical_quantity(text), canonical)


class Properties(unittest.TestCase):
    def test_escapes_are_undone(self):
        text = "#c\nspark.a\\ b=\\ c\\=\\u00e9\\\\\\n\nspark.e=\n"
        self.assertEqual(normal_form.read_properties(text),
                         {"spark.a b": " c=é\\\n", "spark.e": ""})

    def test_a_key_is_there_once(self):
        with self.assertRaises(Difference):
            normal_form.read_properties("a=1\na=1\n")


class RandomNames(unittest.TestCase):
    def test_one_and_the_same_is_replaced(self):
        text = "a-0123456789abcdef-driver a-0123456789abcdef-driver-svc"
        self.assertEqual(normal_form.replace_random(text), "a-@ID@-driver a-@ID@-driver-svc")

    def test_two_where_one_is_meant_are_told(self):
        with self.assertRaises(Difference):
            normal_form.replace_random("a-0123456789abcdef-driver a-0123456789abcde0-driver-svc")


class Environment(unittest.TestCase):
    def sorted_names(self, *names):
        sources = {"IP": {"fieldRef": {}}, "SPARK_DRIVER_BIND_ADDRESS": {"fieldRef": {}},
                   "S1": {"secretKeyRef": {}}, "S2": {"secretKeyRef": {}}}
        container = {"env": [{"name": name, "valueFrom": sources[name]} if name in sources
                             else {"name": name} for name in names]}
        normal_form.sort_environment(container)
        return [variable["name"] for variable in container["env"]]

    def test_only_what_has_no_order_is_sorted(self):
        spark = ["SPARK_USER", "SPARK_APPLICATION_ID"]
        self.assertEqual(
            self.sorted_names("T2", "T1", *spark, "SPARK_X", "A", "SPARK_DRIVER_BIND_ADDRESS",
                              "S2", "S1", "Z", "B"),
            ["T2", "T1", *spark, "A", "SPARK_X", "SPARK_DRIVER_BIND_ADDRESS",
             "S1", "S2", "Z", "B"])

    def test_another_container_keeps_its_order(self):
        self.assertEqual(self.sorted_names("B", "A", "S2", "S1"), ["B", "A", "S2", "S1"])


class Differences(unittest.TestCase):
    def test_each_is_named_by_its_path(self):
        self.assertEqual(differences({"a": [1, {"b": 2}], "c": 3}, {"a": [1, {"b": 4}, 5]}),
                         [("a/1/b", 2, 4), ("a/2", None, 5), ("c", 3, None)])


class Cases(unittest.TestCase):
    def test_options_end_at_the_application(self):
        case = Case("x", "# only: 4.3.0\n\n--conf spark.a=b c\n--verbose\na.py\n--x y\n\"\"\n"
                         "== environment\nA=b=c\n== f base64\n/w==\n== g chomp\ng\n")
        self.assertEqual(case.arguments,
                         ["--conf", "spark.a=b c", "--verbose", "a.py", "--x y", ""])
        self.assertEqual(case.versions, ("4.3.0",))
        self.assertEqual(case.environment, {"A": "b=c"})
        self.assertEqual(case.files, {"f": b"\xff", "g": b"g"})


if __name__ == "__main__":
    unittest.main()
