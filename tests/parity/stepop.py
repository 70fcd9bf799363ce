# SPDX-License-Identifier: Apache-2.0
"""stepop's own submissions of the corpus, compared with what spark-submit has stored."""

import json
import os
import subprocess

from deviations import Deviations, check_order
from normal_form import Difference, normal_objects
from record import namespace_of, stored_objects

# Without a cluster: what the @NAME@s of a case stand for.
NOWHERE = {"SERVER": "parity.example:6443", "NAMESPACE": "parity-namespace",
           "TOKEN": "parity-token", "CONTEXT": "parity-context"}
KUBECONFIG = """apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://%(SERVER)s"}}]
users: [{name: u, user: {token: "%(TOKEN)s"}}]
contexts: [{name: "%(CONTEXT)s", context: {cluster: c, user: u}}]
current-context: "%(CONTEXT)s"
"""
# Exit statuses of what is refused: usage, a file that is missing, invalid input.
REFUSED = (2, 5, 9)


def differences(spark, stepop, path=""):
    """[(path, of Spark, of stepop)], where None is nothing there."""
    if isinstance(spark, dict) and isinstance(stepop, dict):
        keys = sorted(spark.keys() | stepop.keys())
        members = [(key, spark.get(key), stepop.get(key)) for key in keys]
    elif isinstance(spark, list) and isinstance(stepop, list):
        count = max(len(spark), len(stepop))
        members = [(str(i), *(one[i] if i < len(one) else None for one in (spark, stepop)))
                   for i in range(count)]
    else:
        return [] if spark == stepop else [(path, spark, stepop)]
    return [found for key, *pair in members
            for found in differences(*pair, "%s/%s" % (path, key) if path else key)]


class Stepop:
    """One program; `cluster` None asks it only what it would create."""

    def __init__(self, program, folder, cluster=None):
        self.program, self.folder, self.cluster = program, folder, cluster
        if cluster:
            self.kubeconfig = cluster.kubeconfig
        else:
            self.kubeconfig = os.path.join(folder, "kubeconfig")
            with open(self.kubeconfig, "w", encoding="utf-8") as file:
                file.write(KUBECONFIG % NOWHERE)
            for name in ("CA", "KEY", "CERTIFICATE"):
                with open(os.path.join(folder, name), "w", encoding="utf-8"):
                    pass

    def values(self, case, version):
        folder = {"DIR": os.path.join(self.folder, version, case.name)}
        if self.cluster:
            namespace = namespace_of(case, version, "stepop", os.getpid())
            return {**self.cluster.values, **folder, "NAMESPACE": namespace}
        named = {"NAMESPACE": case.settings["namespace"]} if "namespace" in case.settings else {}
        files = {name: os.path.join(self.folder, name) for name in ("CA", "KEY", "CERTIFICATE")}
        return {**NOWHERE, **files, **named, **folder}

    def run(self, case, version, values):
        environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": self.folder,
                       "KUBECONFIG": self.kubeconfig, "SPARK_USER": "parity",
                       **case.variables(values)}
        environment = {name: value for name, value in environment.items() if value}
        case.write_files(values["DIR"], values)
        how = [] if self.cluster else ["--dry-run=client", "-o", "json"]
        return subprocess.run(
            [self.program, "submit", "--spark-version=" + version, *how, *case.options(values)],
            env=environment, cwd=values["DIR"], stdin=subprocess.DEVNULL, capture_output=True,
            timeout=60, check=False)

    def outcome(self, case, version, spark):
        """As kept of Spark; None where it is right that there is nothing to compare."""
        values = self.values(case, version)
        if self.cluster:
            self.cluster.create_namespace(values["NAMESPACE"])
        result = self.run(case, version, values)
        said = result.stderr.decode(errors="replace").strip()
        if case.settings.get("deviation") == "local files":
            return self.expect_files(result, said)
        if case.settings.get("deviation") == "not refused":
            return self.expect_success(result, said)
        if case.is_refused(version):
            return self.expect_refusal(result, said)
        if result.returncode:
            raise Difference("stepop fails (%d): %s" % (result.returncode, said))
        undo = Deviations(case, spark["objects"]).undo
        if self.cluster:
            return {"objects": stored_objects(self.cluster, version, values, undo)}
        objects = json.loads(result.stdout)["items"]
        check_order(objects)
        return {"objects": normal_objects(objects, values, undo)}

    def expect_refusal(self, result, said):
        if result.returncode not in REFUSED or not said:
            raise Difference("stepop does not refuse it (%d): %s" % (result.returncode, said))

    def expect_success(self, result, said):
        """spark-submit refuses what stepop can make sense of."""
        if result.returncode:
            raise Difference("stepop refuses it, too: %s" % said)

    def expect_files(self, result, said):
        """spark-submit refuses them; stepop takes small ones along in a ConfigMap."""
        if result.returncode:
            raise Difference("stepop does not take local files along: %s" % said)
        if not self.cluster:
            names = [one["metadata"]["name"] for one in json.loads(result.stdout)["items"]]
            if not any(name.endswith("-files") for name in names):
                raise Difference("no ConfigMap of files is among %s" % ", ".join(names))

    def compare(self, case, version, spark):
        """[what differs], as lines to read."""
        try:
            stepop = self.outcome(case, version, spark)
        except Difference as difference:
            return ["%s" % difference]
        if stepop is None:
            return []
        return ["%s: Spark %s, stepop %s" % (path, *(json.dumps(one, ensure_ascii=False)
                                                     for one in pair))
                for path, *pair in differences(spark["objects"], stepop["objects"])]
