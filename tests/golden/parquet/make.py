#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the Parquet files and the Spark ML model of this folder anew; needs pyspark 3.5, numpy, pandas, pyarrow.

usage: make.py [FOLDER]
The files are kept in the repository: the tests need neither Spark nor Python.
"""
import datetime as dt
import decimal
import pathlib
import shutil
import sys

import pandas
import pyarrow
import pyarrow.parquet
from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import SparkSession
from pyspark.sql import types as t

FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent).resolve()
UTC = dt.timezone.utc

SCHEMA = t.StructType([
    t.StructField("id", t.LongType(), False),
    t.StructField("count", t.IntegerType()),
    t.StructField("small", t.ShortType()),
    t.StructField("price", t.DecimalType(10, 2)),
    t.StructField("big", t.DecimalType(30, 4)),
    t.StructField("ratio", t.DoubleType()),
    t.StructField("weight", t.FloatType()),
    t.StructField("good", t.BooleanType()),
    t.StructField("name", t.StringType()),
    t.StructField("raw", t.BinaryType()),
    t.StructField("day", t.DateType()),
    t.StructField("at", t.TimestampType()),
    t.StructField("tags", t.ArrayType(t.StringType())),
    t.StructField("scores", t.MapType(t.StringType(), t.DoubleType())),
    t.StructField("place", t.StructType([
        t.StructField("city", t.StringType()),
        t.StructField("zip", t.IntegerType(), False),
    ])),
    t.StructField("features", VectorUDT()),
])


def row(i):
    """Row i of 20; every fifth is null where it can be."""
    if i % 5 == 4:
        return (i,) + (None,) * (len(SCHEMA) - 1)
    return (
        i, i * 10 - 50, -i, decimal.Decimal(i * 125 - 300).scaleb(-2), decimal.Decimal(10) ** 20 * (i - 3),
        i / 4 - 1, i / 2, i % 2 == 0, f"näme-{i:02}", bytes([i, 255 - i]), dt.date(1969, 12, 25) + dt.timedelta(i),
        dt.datetime(2026, 11, 21, 9, 30, i, 250000, tzinfo=UTC), [f"t{i}", None], {"a": i / 8}, (f"city {i}", 1000 + i),
        Vectors.dense([float(i), 1.0]) if i % 2 else Vectors.sparse(2, [0], [float(i)]),
    )


def without_checksums(folder):
    """Hadoop's local file system keeps .crc files that nobody needs here."""
    for path in pathlib.Path(folder).rglob("*.crc"):
        path.unlink()


def write_spark():
    spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC")
             .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS").getOrCreate())
    every = spark.createDataFrame([row(i) for i in range(20)], SCHEMA)
    every.repartitionByRange(2, "id").write.mode("overwrite").parquet(str(FOLDER / "spark" / "data"))
    spark.createDataFrame([], SCHEMA).write.mode("overwrite").parquet(str(FOLDER / "empty" / "data"))
    spark.conf.set("spark.sql.parquet.outputTimestampType", "INT96")
    every.select("id", "at").coalesce(1).write.mode("overwrite").parquet(str(FOLDER / "int96" / "data"))

    data = spark.createDataFrame([(float(i), float(i % 3), float(i > 5)) for i in range(12)], ["a", "b", "label"])
    stages = [VectorAssembler(inputCols=["a", "b"], outputCol="features"), LogisticRegression(maxIter=3, regParam=0.1)]
    model = Pipeline(stages=stages).fit(data)
    model.write().overwrite().save(str(FOLDER / "pipeline_model" / "model"))
    model.stages[1].write().overwrite().save(str(FOLDER / "model" / "model"))
    for name in ("spark", "empty", "int96", "pipeline_model", "model"):
        without_checksums(FOLDER / name)
    spark.stop()


def write_pandas():
    frame = pandas.DataFrame({
        "i": pandas.array([1, None, 3], dtype="Int64"),
        "f": [0.5, float("nan"), -2.0],
        "s": ["a", None, "ccc"],
        "at": pandas.to_datetime(["2026-01-01", None, "2026-01-02T03:04:05.000000006"], utc=True, format="ISO8601"),
        "local": pandas.to_datetime(["2026-01-01", "2026-01-03", "2026-01-02"]),
        "u": pandas.array([1, 2, 2**32 - 1], dtype="uint32"),
        "l": [[1, 2], None, []],
    })
    (FOLDER / "pandas").mkdir(exist_ok=True)
    frame.to_parquet(FOLDER / "pandas" / "data.parquet")
    table = pyarrow.table({"secret": [1, 2, 3]})
    folder = FOLDER / "files"
    folder.mkdir(exist_ok=True)
    groups = pyarrow.table({"n": list(range(10)), "s": [chr(97 + i) for i in range(10)]})
    pyarrow.parquet.write_table(groups, folder / "row-groups.parquet", row_group_size=3, compression="zstd")
    pyarrow.parquet.write_table(table, folder / "no-statistics.parquet", write_statistics=False)
    pyarrow.parquet.write_table(table, folder / "encrypted.parquet")
    # The magic of an encrypted footer is all that is looked at.
    path = folder / "encrypted.parquet"
    path.write_bytes(path.read_bytes()[:-4] + b"PARE")


for old in ("spark", "empty", "int96", "pipeline_model", "model", "pandas", "files"):
    shutil.rmtree(FOLDER / old, ignore_errors=True)
write_spark()
write_pandas()
