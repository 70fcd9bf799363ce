"""Counts the words of a text that are not on a list."""
import os

LISTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lists")


def counter(spark, text):
    with open(os.path.join(LISTS, "stop_words.txt"), encoding="utf-8") as words:
        left_out = set(words.read().split())
    return dict(
        spark.sparkContext.parallelize(text.split())
        .filter(lambda word: word not in left_out)
        .map(lambda word: (word, 1))
        .reduceByKey(lambda a, b: a + b)
        .sortByKey()
        .collect()
    )
