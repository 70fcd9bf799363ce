# SPDX-License-Identifier: Apache-2.0
"""What the rows are made into before a model sees them. Training and evaluation share it.

`signed_log` is a Python function that runs on the executors, which therefore import this module too."""
import math

from pyspark.ml.feature import VectorAssembler
from pyspark.sql import functions as F

LONG_TAILED = "feature_3"


def signed_log(value):
    """Logarithm of the size, sign kept: brings a long tail in reach of the other features."""
    return None if value is None else math.copysign(math.log1p(abs(value)), value)


def typed(raw):
    """The CSV holds text: `label` and `category` are whole numbers, everything else is a measure."""
    types = {"label": "int", "category": "int"}
    return raw.select([F.col(name).cast(types.get(name, "double")).alias(name) for name in raw.columns])


def assembled(raw):
    """Typed rows with all feature_* columns in one vector, `features`."""
    data = typed(raw)
    # Made here and not where the module is imported: executors import it too, and have no session.
    squash = F.udf(signed_log, "double")
    data = data.withColumn(LONG_TAILED, squash(data[LONG_TAILED]))
    names = sorted(name for name in data.columns if name.startswith("feature_"))
    return VectorAssembler(inputCols=names, outputCol="features").transform(data)


def joined(data):
    """The scaled measures and the encoded category as one vector, `data_xf`: what the model sees."""
    assembler = VectorAssembler(inputCols=["scaled_features", "encoded_category"], outputCol="data_xf")
    return assembler.transform(data)
