# SPDX-License-Identifier: Apache-2.0
"""The example's six steps as stepop would chain them: main.py, a process each, Spark in local mode."""
import os
import subprocess
import sys
import unittest

from steps_harness import ROOT, StepTest, needs_spark

EXAMPLE = os.path.join(ROOT, "examples", "spark_pipeline")
FRAME, MODEL = "spark.dataframe", "spark.model"
CONF = {"spark.sql.shuffle.partitions": "4", "spark.driver.memory": "512m"}


class Data(unittest.TestCase):
    def test_the_data_set_is_what_its_script_makes(self):
        with open(os.path.join(EXAMPLE, "data", "train.csv"), "rb") as stream:
            kept = stream.read()
        made = subprocess.run([sys.executable, os.path.join(EXAMPLE, "make_data.py"), "/dev/stdout"],
                              stdout=subprocess.PIPE, check=True)
        self.assertEqual(made.stdout, kept)


@needs_spark
class Example(StepTest):
    def run_example(self, step, inputs, outputs, **changes):
        return self.run_step(self.document(
            step, inputs=inputs, outputs=outputs, code=EXAMPLE,
            spark={"master": "local[2]", "app_name": "example-" + step, "conf": CONF}, **changes))

    def test_the_six_steps_end_in_a_model_that_has_learnt_something(self):
        split = {"ratios": [0.7, 0.2, 0.1], "seed": 7}
        self.run_example("importer", {}, [("dataset", FRAME)],
                         files={"path": "file://%s/data/train.csv" % EXAMPLE})
        looked = self.run_example("analyzer", {"dataset": (FRAME, "importer.dataset")},
                                  [("statistics", "pandas.dataframe")])
        self.run_example("splitter", {"dataset": (FRAME, "importer.dataset")},
                         [("train", FRAME), ("test", FRAME), ("validation", FRAME)], parameters=split)
        processed = self.run_example("processor", {"train": (FRAME, "splitter.train")},
                                     [("train_xf", FRAME), ("scaler", MODEL), ("encoder", MODEL)])
        trained = self.run_example("trainer", {"train_xf": (FRAME, "processor.train_xf")}, [("model", MODEL)],
                                   parameters={"trees": 10, "seed": 7})
        self.run_example("evaluator", {
            "test": (FRAME, "splitter.test"), "model": (MODEL, "trainer.model"),
            "scaler": (MODEL, "processor.scaler"), "encoder": (MODEL, "processor.encoder")}, [("metrics", "json")])

        self.assertEqual(looked["outputs"]["statistics"]["metadata"]["rows"], 5)
        self.assertEqual(processed["outputs"]["scaler"]["metadata"]["class"], "pyspark.ml.feature.StandardScalerModel")
        self.assertEqual(trained["outputs"]["model"]["metadata"]["class"],
                         "pyspark.ml.classification.RandomForestClassificationModel")
        metrics = self.value("evaluator", "metrics")
        print("\nexample: accuracy %.4f on %d rows" % (metrics["accuracy"], metrics["rows"]))
        self.assertGreater(metrics["accuracy"], 0.84)
        self.assertGreater(metrics["rows"], 600)


if __name__ == "__main__":
    unittest.main()
