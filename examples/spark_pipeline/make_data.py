# SPDX-License-Identifier: Apache-2.0
"""Makes data/train.csv: the same rows for the same seed. Usage: make_data.py [FILE [ROWS [SEED]]]"""
import csv
import math
import os
import random
import sys

CATEGORIES = 6
# What each category adds to the score of a row; feature_4 and feature_5 add nothing.
CATEGORY_EFFECT = (-1.6, -0.8, 0.0, 0.4, 1.0, 1.8)
NOISE = 0.55


def row(source):
    """One labelled example. feature_3 has a long tail, as amounts of money have."""
    category = source.randrange(CATEGORIES)
    features = [source.gauss(0, 1), source.gauss(5, 2), source.uniform(-3, 3),
                source.choice((-1, 1)) * math.exp(source.gauss(2, 1.5)),
                source.gauss(0, 1), source.uniform(0, 100)]
    score = (1.5 * features[0] - 0.9 * (features[1] - 5) + 0.8 * features[2]
             + 0.5 * math.copysign(math.log1p(abs(features[3])), features[3])
             + CATEGORY_EFFECT[category] + source.gauss(0, NOISE))
    return [int(score > 0), category] + ["%.4f" % value for value in features]


def main(path="", rows="4000", seed="20261121"):
    path = path or os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "train.csv")
    source = random.Random(int(seed))
    with open(path, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["label", "category"] + ["feature_%d" % i for i in range(6)])
        writer.writerows(row(source) for _ in range(int(rows)))


if __name__ == "__main__":
    main(*sys.argv[1:])
