# SPDX-License-Identifier: Apache-2.0
"""The six steps of the example: plain functions, which know nothing of what runs them."""
from pyspark.ml import Model
from pyspark.ml.classification import RandomForestClassifier
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.feature import OneHotEncoder, StandardScaler

from features import assembled, joined


def importer(spark, path):
    """Reads the data set as it is: every column is text."""
    return spark.read.csv(path, header=True)


def analyzer(dataset):
    """Count, mean, deviation, minimum and maximum of every column, as a small pandas frame."""
    return dataset.describe().toPandas()


def splitter(dataset, ratios, seed):
    """Splits at random, but with a seed: the three parts are computed one by one from the same
    data set, and a retry must give the same rows to each."""
    train, test, validation = dataset.randomSplit(ratios, seed=seed)
    return {"train": train, "test": test, "validation": validation}


def processor(train):
    """Fits what turns rows into features, and keeps it: evaluation must do exactly the same."""
    data = assembled(train)
    scaler = StandardScaler(inputCol="features", outputCol="scaled_features", withMean=True).fit(data)
    encoder = OneHotEncoder(inputCol="category", outputCol="encoded_category", handleInvalid="keep").fit(data)
    return joined(encoder.transform(scaler.transform(data))), scaler, encoder


def trainer(train_xf, trees, seed) -> Model:
    """A random forest on the processed rows."""
    forest = RandomForestClassifier(featuresCol="data_xf", labelCol="label", numTrees=trees, maxDepth=8, seed=seed)
    return forest.fit(train_xf)


def evaluator(test, model, scaler, encoder):
    """Accuracy on rows that the model has not seen."""
    data = joined(encoder.transform(scaler.transform(assembled(test))))
    predictions = model.transform(data).cache()
    accuracy = MulticlassClassificationEvaluator(metricName="accuracy").evaluate(predictions)
    return {"accuracy": accuracy, "rows": predictions.count()}
