# SPDX-License-Identifier: Apache-2.0
"""Spark's types, Spark's file systems and Spark's failures, in one local session per test class."""
import os
import shutil
import signal
import sys
import tempfile
import unittest
import warnings

from steps_harness import StepTest, needs_spark

from stepop_runtime import failure
from stepop_runtime.errors import RuntimeFault, StepError


def conf(folder):
    """s3a://bucket/… is a folder here: Hadoop's ViewFs under another scheme. All that is not S3's
    own (the gateway, FileSystem, refusing to overwrite) is the real thing."""
    return {
        "spark.sql.shuffle.partitions": "2", "spark.driver.memory": "512m",
        "spark.hadoop.fs.s3a.impl": "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme",
        "spark.hadoop.fs.viewfs.overload.scheme.target.file.impl": "org.apache.hadoop.fs.LocalFileSystem",
        "spark.hadoop.fs.viewfs.mounttable.bucket.link./store": "file://" + folder,
    }


class Entry:
    def __init__(self, type_name, uri):
        self.name, self.type, self.uri = "value", type_name, uri


@needs_spark
class Types(unittest.TestCase):
    """Values saved and loaded through a context, as run.py does, in both kinds of store."""

    @classmethod
    def setUpClass(cls):
        from stepop_runtime.run import Context
        warnings.simplefilter("ignore", ResourceWarning)  # py4j's sockets
        cls.folder = tempfile.mkdtemp(prefix="stepop-test-")
        cls.bucket = os.path.join(cls.folder, "bucket")
        cls.code = os.path.join(cls.folder, "code")
        os.makedirs(cls.bucket)
        os.makedirs(cls.code)
        with open(os.path.join(cls.code, "stages.py"), "w") as stream:
            stream.write("from pyspark.ml import Transformer\n"
                         "from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable\n"
                         "class Doubler(Transformer, DefaultParamsReadable, DefaultParamsWritable):\n"
                         "    def _transform(self, data):\n"
                         "        return data.selectExpr('n * 2 AS n')\n")
        sys.path.insert(0, cls.code)

        class Step:
            code = cls.code
            spark = {"master": "local[2]", "app_name": "test", "conf": conf(cls.bucket)}
        cls.context = Context(Step)
        cls.stores = ("file://%s/pro[1] {x}/" % cls.folder, "s3://bucket/store/")

    @classmethod
    def tearDownClass(cls):
        from stepop_runtime.session import stop
        stop()
        cls.context.scratch.remove()
        sys.path.remove(cls.code)
        shutil.rmtree(cls.folder)

    def uri(self, store, name):
        return store + self.id().rpartition(".")[2] + "/" + name + "/"

    def there_and_back(self, type_name, value):
        """Saves and loads in each store; yields what was loaded, and the metadata."""
        from stepop_runtime.materializers import find
        for store in self.stores:
            with self.subTest(store):
                uri = self.uri(store, "value")
                metadata = find(type_name).save(value, uri, self.context)
                yield find(type_name).load(uri, self.context), metadata

    def save(self, type_name, value, uri=None):
        from stepop_runtime.run import _materializers, _save

        class Step:
            inputs, outputs = [], [Entry(type_name, uri or self.uri(self.stores[0], "value"))]
        return _save(Step.outputs[0], value, _materializers(Step), self.context)

    def test_the_store_can_be_read_and_written_before_there_is_a_session(self):
        # Named to run in any order: the context of its own shares only the JVM.
        self.context.storage.write("s3://bucket/store/early/a b%20c.json", b"1")
        self.assertEqual(self.context.storage.read("s3://bucket/store/early/a b%20c.json"), b"1")
        self.assertEqual(self.context.storage.names("s3://bucket/store/early/"), ["a b%20c.json"])
        with self.assertRaises(Exception) as caught:
            self.context.storage.write("s3://bucket/store/early/a b%20c.json", b"2")
        self.assertIn("exists", failure.summary(caught.exception))
        self.assertEqual(self.context.storage.read("s3://bucket/store/early/a b%20c.json"), b"1")

    def test_a_dataframe(self):
        frame = self.context.spark.createDataFrame([(1, "ä"), (2, None)], "n int, t string")
        for loaded, _ in self.there_and_back("spark.dataframe", frame):
            self.assertEqual(sorted(map(tuple, loaded.collect())), [(1, "ä"), (2, None)])
            self.assertEqual(loaded.schema.simpleString(), "struct<n:int,t:string>")

    def test_a_dataframe_without_rows_keeps_its_columns(self):
        frame = self.context.spark.createDataFrame([], "n int")
        for loaded, _ in self.there_and_back("spark.dataframe", frame):
            self.assertEqual((loaded.columns, loaded.count()), (["n"], 0))

    def test_a_pandas_frame_with_its_index(self):
        import pandas
        frame = pandas.DataFrame({"n": [1, 2], "t": ["a", None]}, index=pandas.Index(["x", "y"], name="key"))
        for loaded, metadata in self.there_and_back("pandas.dataframe", frame):
            pandas.testing.assert_frame_equal(loaded, frame)
            self.assertEqual(metadata, {"format": "parquet", "rows": 2, "columns": 2})

    def test_a_pandas_frame_without_pyarrow(self):
        import pandas
        from stepop_runtime.materializers import pandas as family
        self.addCleanup(setattr, family, "_has_pyarrow", family._has_pyarrow)
        family._has_pyarrow = lambda: False
        frame = pandas.DataFrame({"n": [1, 2], "f": [0.1, None], "t": ["", None], "b": [True, False],
                                  "d": pandas.to_datetime(["2026-11-21 01:02:03", None])})
        frames = [frame, frame.set_index("n"), frame.set_index(["t", "n"])[["f"]].dropna()]
        for i, each in enumerate(frames):
            uri = self.uri(self.stores[0], "frame%d" % i)
            self.assertEqual(family.PandasDataFrame.save(each, uri, self.context)["format"], "csv")
            pandas.testing.assert_frame_equal(family.PandasDataFrame.load(uri, self.context), each)

    def test_files_and_folders(self):
        source = os.path.join(self.folder, "tree")
        os.makedirs(os.path.join(source, "sub"), exist_ok=True)
        with open(os.path.join(source, "sub", "a.txt"), "w") as stream:
            stream.write("deep")
        for loaded, _ in self.there_and_back("directory", source):
            with open(os.path.join(loaded, "sub", "a.txt")) as stream:
                self.assertEqual(stream.read(), "deep")
            self.assertEqual(os.listdir(os.path.join(loaded, "sub")), ["a.txt"])
        for loaded, _ in self.there_and_back("file", os.path.join(source, "sub", "a.txt")):
            self.assertEqual(os.path.basename(loaded), "a.txt")

    def test_models_are_loaded_as_what_they_are(self):
        from pyspark.ml import Pipeline, PipelineModel
        from pyspark.ml.feature import Binarizer, StandardScaler, VectorAssembler
        from stages import Doubler
        data = self.context.spark.createDataFrame([(1.0,), (3.0,)], "n double")
        assembler = VectorAssembler(inputCols=["n"], outputCol="v")
        pipeline = Pipeline(stages=[Doubler(), assembler, StandardScaler(inputCol="v", outputCol="s", withMean=True)])
        for value in (pipeline.fit(data), pipeline, Binarizer(inputCol="n", outputCol="b"), Doubler()):
            # A folder for each: nothing is overwritten.
            for store in self.stores:
                from stepop_runtime.materializers import find
                uri = self.uri(store, value.uid)
                metadata = find("spark.model").save(value, uri, self.context)
                loaded = find("spark.model").load(uri, self.context)
                self.assertIs(type(loaded), type(value))
                self.assertEqual(loaded.uid, metadata["uid"])
                if isinstance(value, PipelineModel):
                    self.assertEqual(loaded.transform(data).collect(), value.transform(data).collect())

    def test_values_of_other_types_are_refused_with_advice(self):
        import pandas
        for kind, value, message in [
                ("spark.dataframe", pandas.DataFrame(), "declare the output as pandas.dataframe"),
                ("spark.dataframe", 3, "expected a pyspark.sql.DataFrame"),
                ("spark.model", {}, "can write (MLWritable)"),
                ("pandas.dataframe", pandas.Series([1]), "return series.to_frame()")]:
            with self.subTest(message):
                with self.assertRaises(StepError) as caught:
                    self.save(kind, value)
                self.assertIn(message, str(caught.exception))
                self.assertEqual(failure.describe_own(caught.exception)["type"], "TypeError")

    def test_a_function_that_fails_while_its_dataframe_is_saved_is_the_users_failure(self):
        from pyspark.sql import functions as F

        def picky(value):
            raise LookupError("no rate for %d" % value)
        frame = self.context.spark.range(1).select(F.udf(picky, "int")("id").alias("x"))
        with self.assertRaises(StepError) as caught:
            self.save("spark.dataframe", frame)
        error = failure.describe_own(caught.exception)
        self.assertEqual(error["type"], "LookupError")
        self.assertTrue(error["message"].endswith("no rate for 0"), error["message"])
        self.assertIn("in picky", error["traceback"].rpartition("On an executor:")[2])
        self.assertNotIn("pyspark/worker.py", error["traceback"].rpartition("On an executor:")[2])

    def test_an_output_that_exists_is_a_fault_and_stays(self):
        for store in self.stores:
            uri = self.uri(store, "value")
            self.save("spark.dataframe", self.context.spark.range(3), uri)
            with self.assertRaises(RuntimeFault) as caught:
                self.save("spark.dataframe", self.context.spark.range(5), uri)
            self.assertIn("this attempt has run before", str(caught.exception))
            from stepop_runtime.materializers import find
            self.assertEqual(find("spark.dataframe").load(uri, self.context).count(), 3)

    def test_a_store_without_its_file_system_is_a_fault_with_javas_root_cause(self):
        with self.assertRaises(RuntimeFault) as caught:
            self.save("spark.dataframe", self.context.spark.range(3), "s3://nobody/store/x/")
        self.assertIn("cannot be saved to s3://nobody/store/x/", str(caught.exception))
        self.assertIn("S3AFileSystem not found; this Spark lacks the file system", str(caught.exception))
        self.assertNotIn("An error occurred while calling", str(caught.exception))


@needs_spark
class Steps(StepTest):
    """Whole steps, each with a JVM of its own."""

    def setUp(self):
        super().setUp()
        self.bucket = tempfile.mkdtemp(prefix="stepop-test-")
        self.addCleanup(shutil.rmtree, self.bucket)

    def spark(self):
        return {"master": "local[2]", "app_name": "test", "conf": conf(self.bucket)}

    def test_a_failing_step_with_its_result_in_s3_and_no_session(self):
        self.write("steps.py", """
            import sys
            def one():
                from pyspark import SparkContext
                raise ValueError("no column; session: %s" % SparkContext._active_spark_context)
            """)
        document = self.document(result="s3://bucket/store/result.json", spark=self.spark())
        self.run_step(document, expect=1)
        document["result"] = "file://%s/result.json" % self.bucket
        self.assertEqual(self.result(document), self.termination()[1])
        self.assertEqual(self.result(document)["error"]["message"], "no column; session: None")

    def test_a_step_in_the_midst_of_a_job_ends_soon_and_takes_the_jvm_with_it(self):
        self.write("helper.py", """
            import time
            def wait(value):
                print("ready", flush=True)
                time.sleep(100)
            """)
        self.write("steps.py", """
            from helper import wait
            def one(spark):
                spark.sparkContext.parallelize([1], 1).map(wait).collect()
            """)
        document = self.document(spark=self.spark())
        process = self.start(document)
        # Printed by a worker: it has imported a module that only the archive brings to it. What
        # workers print comes out of the JVM's stderr.
        self.assertIn("ready\n", iter(process.stderr.readline, ""))
        process.send_signal(signal.SIGTERM)
        # The pipes are at their end when no process holds them any more, the JVM and its worker included.
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 143)
        self.assertIsNone(self.result(document))
        self.assertEqual([name for name in os.listdir(self.scratch) if name.startswith("stepop-")], [])

    def test_a_column_that_is_not_there_and_a_session_that_cannot_start(self):
        self.write("steps.py", "def one(spark):\n    return spark.range(2).select('absent')\n")
        error = self.run_step(self.document(outputs=[("value", "spark.dataframe")], spark=self.spark()), expect=1)["error"]
        self.assertEqual(error["type"], "AnalysisException")
        self.assertIn("`absent`", error["message"])
        self.assertEqual(error["traceback"].splitlines()[1].strip(),
                         'File "%s/steps.py", line 2, in one' % self.code)
        spark = dict(self.spark(), master="nonsense")
        error = self.run_step(self.document("two", "one", outputs=[("value", "spark.dataframe")], spark=spark),
                              expect=70)["error"]
        self.assertIn("start Spark: ", error["message"])
        self.assertIn("its reason stands before this in the log", error["message"])
        self.assertIn("Master must either be yarn or start with", self.stderr)


if __name__ == "__main__":
    unittest.main()
