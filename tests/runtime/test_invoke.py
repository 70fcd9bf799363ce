# SPDX-License-Identifier: Apache-2.0
"""The user's function: how it is found, called and blamed; the plain types. Without Spark."""
import os
import unittest
import zipfile

from steps_harness import StepTest

from stepop_runtime import code_archive, failure, invoke
from stepop_runtime.errors import StepError


class Outputs(StepTest):
    """What is returned, matched to what was declared."""

    def match(self, names, value):
        from stepop_runtime.contract import Step
        step = Step(self.document(outputs=[(name, "json") for name in names]))
        return [(output.name, part) for output, part in invoke.match_outputs(step, value)]

    def test_one_output_takes_the_value_as_it_is(self):
        for value in ({"a": 1}, (1,), [1, 2], None):
            self.assertEqual(self.match(["a"], value), [("a", value)])

    def test_several_come_from_a_dict_by_name_or_from_a_tuple_in_order(self):
        pairs = [("a", 1), ("b", 2)]
        for value in ({"b": 2, "a": 1}, (1, 2), [1, 2]):
            self.assertEqual(self.match(["a", "b"], value), pairs)

    def test_what_does_not_fit_is_told_plainly(self):
        cases = [
            ({"a": 1}, "'b' missing"),
            ({"a": 1, "b": 2, "c": 3}, "'c' not declared"),
            ({"a": 1, "B": 2}, "'b' missing; 'B' not declared"),
            ((1,), "returned 1 values for 2 outputs (a, b)"),
            (7, "returned a int: with several outputs (a, b)"),
            (None, "returned a NoneType"),
        ]
        for value, message in cases:
            with self.subTest(value):
                with self.assertRaises(StepError) as caught:
                    self.match(["a", "b"], value)
                self.assertIn(message, str(caught.exception))

    def test_without_outputs_the_value_is_dropped_with_a_note(self):
        self.write("steps.py", "def one():\n    return 5\n")
        self.run_step(self.document())
        self.assertIn("the int that it returned is not kept", self.stderr)


class Arguments(StepTest):
    def error(self, source, **changes):
        self.write("steps.py", source)
        return self.run_step(self.document(**changes), expect=1)["error"]["message"]

    def test_parameters_files_and_inputs_arrive_by_name(self):
        self.write("steps.py", """
            def first():
                return [1, 2]
            def one(number, path, *, numbers, spark=None, unused=0):
                return [number, path, numbers, spark]
            """)
        self.run_step(self.document("first", outputs=[("list", "json")]))
        self.run_step(self.document(
            parameters={"number": 7}, files={"path": "file:///a b/c%20d.csv"},
            inputs={"numbers": ("json", "first.list")}, outputs=[("value", "json")]))
        self.assertEqual(self.value("one", "value"), [7, "/a b/c%20d.csv", [1, 2], None])

    def test_unknown_and_missing_arguments_are_told(self):
        self.assertEqual(self.error("def one(ratios): pass\n", parameters={"ratio": 1}),
                         "steps.py:one takes no argument 'ratio'; it takes: ratios")
        self.assertIn("needs 'ratios': name it under", self.error("def one(ratios): pass\n", step="again", function="one"))

    def test_the_signature_of_a_decorated_function_and_of_a_callable_object_counts(self):
        self.write("steps.py", """
            import functools
            def decorate(function):
                @functools.wraps(function)
                def inner(*args, **kwargs):
                    return function(*args, **kwargs)
                return inner
            @decorate
            def one(a): return a
            class Adder:
                def __call__(self, a, **rest): return a + rest["b"]
            two = Adder()
            """)
        self.run_step(self.document(parameters={"a": 1}, outputs=[("value", "json")]))
        self.run_step(self.document("two", parameters={"a": 1, "b": 2}, outputs=[("value", "json")]))
        self.assertEqual((self.value("one", "value"), self.value("two", "value")), (1, 3))
        message = self.run_step(self.document("three", "one", parameters={"b": 1}), expect=1)["error"]["message"]
        self.assertIn("takes no argument 'b'", message)

    def test_a_session_is_refused_where_there_is_none(self):
        self.assertIn("takes 'spark', but this step is given no Spark session", self.error("def one(spark): pass\n"))

    def test_a_missing_function_names_those_that_exist(self):
        self.assertEqual(self.error("import json\nfrom os.path import join\ndef split(): pass\n"),
                         "steps.py has no function 'one'; it has: split")


class Modules(StepTest):
    def test_a_module_imports_its_neighbours_and_may_lie_in_a_folder(self):
        self.write("helper.py", "X = 3\n")
        self.write("deep/steps.py", "from helper import X\ndef one():\n    return [X, __name__]\n")
        self.run_step(self.document(source={"file": "deep/steps.py", "function": "one"}, outputs=[("value", "json")]))
        self.assertEqual(self.value("one", "value"), [3, "deep.steps"])

    def test_a_file_with_the_name_of_a_module_of_python_is_refused(self):
        self.write("json.py", "def one(): pass\n")
        error = self.run_step(self.document(source={"file": "json.py", "function": "one"}), expect=1)["error"]
        self.assertIn("has the name of another Python module", error["message"])

    def test_a_missing_file_is_a_fault_of_the_runtime(self):
        self.assertIn("the source 'steps.py' cannot be read", self.run_step(self.document(), expect=70)["error"]["message"])

    def config_map_volume(self):
        """As the kubelet lays one out: names that link through ..data to a dated folder."""
        volume = os.path.join(self.folder, "volume")
        os.makedirs(os.path.join(volume, "..2026_11_21", "pkg"))
        for name in ("steps.py", "notes.txt", "pkg/inner.py"):
            with open(os.path.join(volume, "..2026_11_21", name), "w") as stream:
                stream.write("X = 1\n")
        os.symlink("..2026_11_21", os.path.join(volume, "..data"))
        for name in ("steps.py", "notes.txt", "pkg"):
            os.symlink("..data/" + name, os.path.join(volume, name))
        return volume

    def test_the_archive_of_a_config_map_volume_has_each_module_once(self):
        volume = self.config_map_volume()
        os.symlink(".", os.path.join(volume, "circle"))
        path = code_archive.pack(volume, self.folder)
        with zipfile.ZipFile(path) as archive:
            self.assertEqual(archive.namelist(), ["pkg/", "pkg/inner.py", "steps.py"])

    def test_the_archive_of_the_same_modules_has_the_same_bytes(self):
        archives = []
        for name in ("a", "b"):
            os.makedirs(os.path.join(self.folder, name))
            self.write("steps.py", "X = 1\n")
            os.utime(os.path.join(self.code, "steps.py"), (0, len(archives) * 1e9))
            with open(code_archive.pack(self.code, os.path.join(self.folder, name)), "rb") as stream:
                archives.append(stream.read())
        self.assertEqual(archives[0], archives[1])


class Failures(StepTest):
    def test_the_traceback_begins_at_the_users_code(self):
        self.write("helper.py", "def fail():\n    raise KeyError('label')\n")
        self.write("steps.py", """
            from helper import fail
            def one():
                print("before")
                try:
                    fail()
                except KeyError as error:
                    raise ValueError("no column 'label'") from error
            """)
        error = self.run_step(self.document(), expect=1)["error"]
        self.assertEqual((error["type"], error["message"]), ("ValueError", "no column 'label'"))
        self.assertNotIn("stepop_runtime", error["traceback"])
        self.assertNotIn("importlib", error["traceback"])
        self.assertIn("steps.py\", line 8, in one", error["traceback"])
        self.assertIn("KeyError: 'label'", error["traceback"])
        self.assertIn(error["traceback"].rstrip(), self.stderr)
        self.assertEqual(self.stdout, "before\n")

    def test_a_failing_import_and_a_syntax_error_are_the_users_too(self):
        self.write("steps.py", "import nowhere_to_be_found\n")
        error = self.run_step(self.document(), expect=1)["error"]
        self.assertEqual(error["type"], "ModuleNotFoundError")
        self.assertTrue(error["traceback"].splitlines()[1].strip().startswith("File \"%s" % self.code), error["traceback"])
        self.write("steps.py", "def one(:\n")
        error = self.run_step(self.document("two"), expect=1)["error"]
        self.assertEqual(error["type"], "SyntaxError")
        self.assertIn("steps.py\", line 1", error["traceback"])
        self.assertNotIn("stepop_runtime", error["traceback"])

    def test_an_input_that_is_gone_is_a_fault_that_names_it_and_what_to_do(self):
        self.write("steps.py", "def one(data): pass\n")
        error = self.run_step(self.document(inputs={"data": ("json", "before.data")}), expect=70)["error"]
        self.assertEqual(error["type"], "RuntimeFault")
        self.assertIn("input 'data' (json) cannot be loaded from " + self.uri("before", "data"), error["message"])
        self.assertIn("run the step that makes it again", error["message"])

    def test_an_unknown_type_is_told_before_the_step_runs(self):
        self.write("steps.py", "def one():\n    print('ran')\n")
        self.assertIn("knows no type 'yaml'", self.run_step(
            self.document(outputs=[("value", "yaml")]), expect=70)["error"]["message"])
        self.assertEqual(self.stdout, "")

    def test_the_failure_of_a_python_worker_is_read_out_of_javas_message(self):
        error = Py4JJavaError("An error occurred while calling o50.parquet.")
        error.java_exception = _Throwable("org.apache.spark.SparkException", "Job aborted.", _Throwable(
            "org.apache.spark.SparkException", "Task 0 failed: org.apache.spark.api.python.PythonException: "
            "Traceback (most recent call last):\n  File \"/x/pyspark.zip/pyspark/worker.py\", line 9, in main\n    process()\n"
            "  File \"/code.zip/features.py\", line 3, in squash\nbuiltins.ValueError: boom: 1\n\n\tat org.apache.spark.Foo\n"))
        described = failure.describe(error)
        self.assertEqual((described["type"], described["message"]), ("ValueError", "boom: 1"))
        self.assertTrue(failure.is_users(error))
        self.assertTrue(described["traceback"].endswith(
            "On an executor:\nTraceback (most recent call last):\n"
            "  File \"/code.zip/features.py\", line 3, in squash\nbuiltins.ValueError: boom: 1\n"), described["traceback"])

    def test_the_root_cause_of_a_java_exception_is_the_message(self):
        error = Py4JJavaError("An error occurred while calling o50.parquet.")
        error.java_exception = _Throwable("org.apache.spark.SparkException", "Job aborted.", _Throwable(
            "java.nio.file.AccessDeniedException", "s3a://b/x: 403\nmore", None, "java.io.IOException"))
        self.assertEqual(failure.summary(error), "AccessDeniedException: s3a://b/x: 403")
        self.assertFalse(failure.is_users(error))


class Py4JJavaError(Exception):
    """Stands for py4j's."""


class _Throwable:
    """As py4j shows a Java exception."""

    def __init__(self, name, message, cause=None, parent=None):
        self._name, self._message, self._cause, self._parent = name, message, cause, parent

    def getClass(self):
        return _Class(self._name, self._parent)

    def getMessage(self):
        return self._message

    def getCause(self):
        return self._cause


class _Class:
    def __init__(self, name, parent=None):
        self._name, self._parent = name, parent

    def getName(self):
        return self._name

    def getSuperclass(self):
        return _Class(self._parent) if self._parent else None


class PlainTypes(StepTest):
    def test_every_plain_type_survives_the_way_to_the_next_step(self):
        self.write("steps.py", """
            import os, pathlib
            def make():
                os.makedirs("tree/sub")
                pathlib.Path("tree/sub/a.txt").write_text("deep")
                pathlib.Path("one.txt").write_text("flat")
                return {"j": {"ä": [1, None, 2.5]}, "t": "täxt\\n", "b": b"\\x00\\xff", "f": "one.txt", "d": pathlib.Path("tree")}
            def use(j, t, b, f, d):
                return [j, t, list(b), os.path.basename(f), open(f).read(), open(os.path.join(d, "sub", "a.txt")).read()]
            """)
        kinds = [("j", "json"), ("t", "text"), ("b", "bytes"), ("f", "file"), ("d", "directory")]
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        result = self.run_step(self.document("make", outputs=kinds))
        self.assertEqual(result["outputs"]["f"]["metadata"], {"name": "one.txt", "size_bytes": 4, "python_type": "str"})
        self.run_step(self.document("use", inputs={name: (kind, "make." + name) for name, kind in kinds},
                                    outputs=[("value", "json")]))
        self.assertEqual(self.value("use", "value"),
                         [{"ä": [1, None, 2.5]}, "täxt\n", [0, 255], "one.txt", "flat", "deep"])

    def test_values_of_the_wrong_type_fail_the_step(self):
        for kind, value, message in [("json", "float('nan')", "JSON has no nan"), ("json", "{1, 2}", "JSON cannot hold a set"),
                                     ("text", "b'x'", "expected a str"), ("bytes", "'x'", "expected bytes"),
                                     ("file", "'/nowhere'", "there is no file '/nowhere'"), ("directory", "3", "expected a path")]:
            with self.subTest(kind + value):
                self.write("steps.py", "def one():\n    return %s\n" % value)
                step = "s%d" % abs(hash(kind + value))
                error = self.run_step(self.document(step, "one", outputs=[("value", kind)]), expect=1)["error"]
                self.assertIn(message, error["message"])

    def test_a_json_step_imports_neither_pyspark_nor_anything_heavy(self):
        self.write("steps.py", "import sys\ndef one():\n    return sorted(sys.modules)\n")
        self.run_step(self.document(outputs=[("value", "json")], spark={"app_name": "x", "master": "local[1]", "conf": {}}))
        loaded = set(self.value("one", "value"))
        for heavy in ("pyspark", "py4j", "pandas", "numpy", "traceback", "inspect", "tempfile", "shutil", "threading",
                      "urllib.parse", "datetime", "logging", "zipfile", "subprocess", "dataclasses"):
            self.assertNotIn(heavy, loaded)

    def test_the_runtime_fits_its_config_map(self):
        from steps_harness import ROOT
        total = sum(os.path.getsize(os.path.join(place, name)) for place, _, names in os.walk(ROOT + "/runtime")
                    for name in names if name.endswith(".py"))
        self.assertLess(total, 60 * 1024)


if __name__ == "__main__":
    unittest.main()
