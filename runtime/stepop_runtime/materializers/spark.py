# SPDX-License-Identifier: Apache-2.0
"""Spark's own types: DataFrames as Parquet, ML models as Spark ML directories."""
import importlib
import json

from ..storage import spark_uri


class SparkDataFrame:
    """data/, written by the executors. Rows are not counted: that would be a second job."""

    @staticmethod
    def save(value, uri, context):
        _expect_dataframe(value)
        value.write.mode("errorifexists").parquet(spark_uri(uri) + "data/")
        return {}

    @staticmethod
    def load(uri, context):
        return context.spark.read.parquet(_readable(uri + "data/"))


def _expect_dataframe(value):
    from pyspark.sql import DataFrame
    module = type(value).__module__
    if module.startswith("pyspark.pandas"):
        raise TypeError("a pandas-on-Spark frame is not a DataFrame of Spark: return frame.to_spark()")
    if module.startswith("pandas"):
        raise TypeError("declare the output as pandas.dataframe, or return spark.createDataFrame(frame)")
    if not isinstance(value, DataFrame):
        raise TypeError("expected a pyspark.sql.DataFrame")
    if value.isStreaming:
        raise TypeError("a streaming DataFrame has no end and cannot be saved")


def _readable(uri):
    """The URI for Spark's readers, which take these characters for patterns: a store may well lie
    in 'project[1]'. Its writers take them as they are."""
    return "".join("\\" + c if c in "{}[]*?\\" else c for c in spark_uri(uri))


class SparkModel:
    """model/. The class to load with is the one in its metadata, whatever the step declared."""

    @staticmethod
    def save(value, uri, context):
        from pyspark.ml.util import MLWritable
        if not isinstance(value, MLWritable):
            raise TypeError("expected a model or stage that Spark ML can write (MLWritable)")
        value.write().save(spark_uri(uri) + "model/")
        return {"class": type(value).__module__ + "." + type(value).__qualname__, "uid": value.uid}

    @staticmethod
    def load(uri, context):
        context.spark  # loading runs in the session, which must be there
        loader = _class_named(_metadata(uri, context)["class"])
        return loader.load(_readable(uri + "model/"))


def _metadata(uri, context):
    """Spark writes it as text, one JSON object on the first line of the only part that has lines."""
    folder = uri + "model/metadata/"
    for name in context.storage.names(folder):
        if name.startswith("part-"):
            for line in context.storage.read(folder + name).decode("utf-8").splitlines():
                return json.loads(line)
    raise ValueError("the model has no metadata")


def _class_named(name):
    """A stage that lives in the JVM names its Java class; its Python twin has the same name elsewhere."""
    python_name = name.replace("org.apache.spark.", "pyspark.", 1)
    module, _, attribute = python_name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError("no Python class for the model's class %s: %s" % (name, error)) from error
    if not hasattr(found, "load"):
        raise ValueError("%s cannot be loaded: it has no load()" % python_name)
    return found
