# SPDX-License-Identifier: Apache-2.0
"""Submits the corpus with the real spark-submit and keeps what an API server has stored then."""

import copy
import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import cases as corpus
from normal_form import Difference, normal_objects, replace_random, take_owners
from spark import Spark, WarmSpark

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")


def namespace_of(case, version, submitter, run):
    """One for each submission, so that what it made is all that is there."""
    return case.settings.get("namespace") or "%s-%s-%s-%s" % (
        submitter, version.replace(".", ""), case.name, run)


def golden_file(case, version):
    return os.path.join(GOLDEN, version, case.name + ".json")


def stored_objects(cluster, version, values, adjust=lambda objects: objects):
    """What a submission has stored, in normal form. `default` is shared by several: each pod there
    is taken away once it was seen."""
    objects = cluster.objects(values["NAMESPACE"])
    if values["NAMESPACE"] == "default":
        pods = [one for one in objects if one["kind"] == "Pod"
                and one["metadata"]["labels"]["spark-version"] == version]
        uids = {pod["metadata"]["uid"] for pod in pods}
        objects = pods + [one for one in objects if uids & {
            owner["uid"] for owner in one["metadata"].get("ownerReferences", [])}]
        for pod in pods:
            cluster.delete_pod("default", pod["metadata"]["name"])
    objects = copy.deepcopy(objects)
    if not objects:
        raise Difference("nothing was stored")
    take_owners(objects)
    return normal_objects(objects, values, adjust)


class Recorder:
    """All cases, by one version of Spark."""

    def __init__(self, cluster, version, folder):
        self.cluster, self.version, self.folder = cluster, version, folder
        self.spark = Spark(version)
        os.makedirs(os.path.join(folder, "home"), exist_ok=True)

    def values(self, case):
        return {**self.cluster.values, "DIR": os.path.join(self.folder, case.name),
                "NAMESPACE": namespace_of(case, self.version, "spark", os.getpid())}

    def environment(self, case=None):
        home = os.path.join(self.folder, "home")
        variables = case.variables(self.values(case)) if case else {}
        return self.spark.environment(self.cluster.kubeconfig, home, variables)

    def submit(self, case, warm=None):
        values = self.values(case)
        arguments = case.options(values)
        case.write_files(values["DIR"], values)
        self.cluster.create_namespace(values["NAMESPACE"])
        if warm:
            return warm.submit(arguments, values["DIR"] + ".arguments")
        return self.spark.submit(arguments, self.environment(case), values["DIR"])

    def outcome(self, case, error):
        """What is kept of a case."""
        values = self.values(case)
        if case.is_refused(self.version):
            if not error:
                raise Difference("Spark does not refuse it")
            for name, value in values.items():
                error = error.replace(value, "@%s@" % name)
            return {"refused": replace_random(error).splitlines()[:2]}
        if error:
            raise Difference("spark-submit fails: %.400s" % error)
        return {"objects": stored_objects(self.cluster, self.version, values)}

    def record(self, cases, report):
        """Calls report(case, version, outcome or Difference) for each."""
        def one(case, warm=None):
            try:
                outcome = self.outcome(case, self.submit(case, warm))
            except (Difference, subprocess.TimeoutExpired) as failure:
                outcome = failure
            report(case, self.version, outcome)

        cases = [case for case in cases if self.version in case.versions]
        alone = [case for case in cases if case.environment or "process" in case.settings]
        with ThreadPoolExecutor(1) as second:
            others = second.submit(lambda: [one(case) for case in alone])
            warm = WarmSpark(self.spark, self.environment(), os.path.join(self.folder, "jvm.log"))
            for case in cases:
                if case not in alone:
                    one(case, warm)
            warm.close()
            others.result()


def record_all(cluster, cases, folder, report):
    """All versions at once; report() is called by one at a time."""
    lock = threading.Lock()

    def report_one(*outcome):
        with lock:
            report(*outcome)

    with ThreadPoolExecutor(len(corpus.VERSIONS)) as pool:
        jobs = [pool.submit(Recorder(cluster, version, os.path.join(folder, version)).record,
                            cases, report_one) for version in corpus.VERSIONS]
        for job in jobs:
            job.result()
