# SPDX-License-Identifier: Apache-2.0
"""Compares what stepop creates with what spark-submit does (README.md).

check    stepop's dry runs with the golden files: no JVM, no cluster, seconds.
parity   records anew with the real spark-submit: must be the golden files, and so must be what an
         API server has stored of stepop's submissions.
record   as the first half of parity, but writes the golden files.
"""

import argparse
import contextlib
import filecmp
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import cases as corpus
import record
from cluster import Cluster
from normal_form import rendered
from spark import CACHE, SETUP, Spark
from stepop import Stepop, differences

HERE = os.path.dirname(os.path.abspath(__file__))


def read_golden(case, version):
    try:
        with open(record.golden_file(case, version), encoding="utf-8") as golden:
            return json.load(golden)
    except FileNotFoundError:
        return None


def write_golden(case, version, outcome):
    file = record.golden_file(case, version)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "w", encoding="utf-8") as golden:
        golden.write(rendered(outcome) + "\n")


def report(case, version, lines):
    """True if there is nothing to say."""
    for line in lines:
        print("%s %s: %s" % (version, case.name, line), flush=True)
    return not lines


def compare_stepop(stepop, cases):
    """The number of submissions that differ."""
    def one(job):
        case, version = job
        spark = read_golden(case, version)
        lines = stepop.compare(case, version, spark) if spark else ["it has no golden file"]
        return case, version, lines

    jobs = [(case, version) for case in cases for version in case.versions]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(one, jobs))
    failed = sum(not report(*outcome) for outcome in outcomes)
    print("parity: %d submissions of stepop compared, %d differ" % (len(jobs), failed))
    return failed


def record_spark(cluster, cases, folder, how):
    """The number of recordings that failed, or differ from the golden files."""
    faults = []

    def keep(case, version, outcome):
        if isinstance(outcome, Exception):
            lines = [str(outcome)]
        elif how == "write":
            write_golden(case, version, outcome)
            lines = []
        else:
            lines = ["%s: golden file %r, recorded now %r" % found
                     for found in differences(read_golden(case, version), outcome)]
        faults.append(not report(case, version, lines))

    record.record_all(cluster, cases, folder, keep)
    print("parity: %d submissions of spark-submit recorded, %d failed or differ"
          % (len(faults), sum(faults)))
    return sum(faults)


def record_tables(folder, how):
    """The number of tables (Tables.scala) that differ from those that are kept."""
    failed = 0
    for version in corpus.VERSIONS:
        spark, kept = Spark(version), os.path.join(HERE, "tables", version)
        made = os.path.join(folder, "tables", version)
        os.makedirs(made, exist_ok=True)
        with open(os.path.join(made, "log"), "wb") as log:
            subprocess.run(spark.java("Tables.scala", "org.apache.spark.deploy.k8s.ParityTables",
                                      made), check=True, stdout=log, stderr=log)
        for table in sorted(name for name in os.listdir(made) if name.endswith(".tsv")):
            pair = os.path.join(kept, table), os.path.join(made, table)
            if how == "write":
                os.makedirs(kept, exist_ok=True)
                shutil.copyfile(*reversed(pair))
            elif not os.path.exists(pair[0]) or not filecmp.cmp(*pair, shallow=False):
                print("parity: Spark %s makes another table of %s" % (version, table))
                failed += 1
    return failed


def digest_of_recording():
    """Of all that a recording depends on, and of what it must give."""
    digest = hashlib.sha256()
    for version in SETUP:
        digest.update(Spark(version).venv.encode())
    for folder, _, files in sorted(os.walk(HERE)):
        for file in sorted(files):
            if file.endswith((".py", ".scala", ".case", ".json", ".tsv")):
                with open(os.path.join(folder, file), "rb") as content:
                    digest.update(file.encode() + content.read())
    return digest.hexdigest()[:16]


def verify_spark(cluster, cases, folder, options):
    """As record_spark(), but what was found good once is not recorded again."""
    known = os.path.join(CACHE, "parity", "recorded-" + digest_of_recording())
    if os.path.exists(known) and not options.anew:
        print("parity: nothing has changed since the golden files were last recorded")
        return 0
    failed = record_spark(cluster, cases, folder, "compare") + record_tables(folder, "compare")
    if not failed and not options.cases:
        os.makedirs(os.path.dirname(known), exist_ok=True)
        with open(known, "w", encoding="utf-8"):
            pass
    return failed


def corpus_gaps(cases):
    """The number of properties that no case is about, and of golden files without a case."""
    with open(os.path.join(HERE, "properties.txt"), encoding="utf-8") as file:
        properties = file.read().split()
    text = "\n".join(case.text for case in cases)
    gaps = ["no case is about spark.kubernetes.%s" % name for name in properties
            if "spark.kubernetes.%s" % name not in text]
    names = {version: {case.name + ".json" for case in cases if version in case.versions}
             for version in corpus.VERSIONS}
    gaps += ["golden/%s/%s has no case" % (version, file) for version in corpus.VERSIONS
             for file in os.listdir(os.path.join(record.GOLDEN, version))
             if file not in names[version]]
    for gap in gaps:
        print("parity: " + gap)
    return len(gaps)


def command_check(options, folder, cases):
    failed = compare_stepop(Stepop(options.stepop, folder), cases)
    return failed if options.cases else failed + corpus_gaps(cases)


def command_record(options, folder, cases):
    with Cluster(os.path.join(folder, "cluster"), options.cluster) as cluster:
        return record_spark(cluster, cases, folder, "write") + record_tables(folder, "write")


def command_parity(options, folder, cases):
    with Cluster(os.path.join(folder, "cluster"), options.cluster) as cluster:
        failed = verify_spark(cluster, cases, folder, options)
        return failed + compare_stepop(Stepop(options.stepop, folder, cluster), cases)


COMMANDS = {"check": command_check, "record": command_record, "parity": command_parity}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=sorted(COMMANDS))
    parser.add_argument("--stepop", default="build/stepop", type=os.path.abspath)
    parser.add_argument("--cases", default="", help="only those whose name matches this pattern")
    parser.add_argument("--keep", type=os.path.abspath, help="the folder to work in, which stays")
    parser.add_argument("--cluster", help="the folder of a control plane that runs, and goes on to")
    parser.add_argument("--anew", action="store_true", help="record even what has not changed")
    options = parser.parse_args()

    start, cases = time.monotonic(), corpus.read_all(options.cases)
    with contextlib.ExitStack() as stack:
        folder = options.keep or stack.enter_context(tempfile.TemporaryDirectory())
        os.makedirs(folder, exist_ok=True)
        failed = COMMANDS[options.command](options, folder, cases)
    print("parity: %d cases in %d s" % (len(cases), time.monotonic() - start))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
