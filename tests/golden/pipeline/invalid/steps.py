"""Functions that the pipeline files beside this one name; never run.

def not_a_function(in_a_docstring):
"""
from helpers import imported
from pyspark.sql import functions as F, (
    types,
)


def importer(spark, path):
    return spark.read.csv(path)


def splitter(dataset, ratios=(0.7, 0.3), seed: int = 7, *, options: "dict[str, int]" = {"a": 1}):
    def inner(x):
        return x
    return dataset.randomSplit(ratios, seed)


def trainer(
    spark,          # the session
    train, rate=0.1,
    **options,
) -> "Model":
    text = '''
def hidden(in_text):
'''
    return train


@decorated(by=("something",))
def wrapped(*args): return args


assigned = lambda train: train


async def waiting(train):
    pass


class Trainer:
    def __init__(self, train):
        pass


def positional(a, /, b):
    pass
