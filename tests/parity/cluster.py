# SPDX-License-Identifier: Apache-2.0
"""A control plane by itself (tests/cluster/control_plane.sh), spoken to with what Python has."""

import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import threading
import time

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(REPOSITORY, "tests/cluster/control_plane.sh")
KINDS = [
    ("v1", "Pod", "/api/v1", "pods"),
    ("v1", "Service", "/api/v1", "services"),
    ("v1", "ConfigMap", "/api/v1", "configmaps"),
    ("v1", "Secret", "/api/v1", "secrets"),
    ("v1", "PersistentVolumeClaim", "/api/v1", "persistentvolumeclaims"),
    ("networking.k8s.io/v1", "NetworkPolicy", "/apis/networking.k8s.io/v1", "networkpolicies"),
    ("scheduling.volcano.sh/v1beta1", "PodGroup", "/apis/scheduling.volcano.sh/v1beta1",
     "podgroups"),
]
# Enough of Volcano for its objects to be stored.
POD_GROUPS = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "podgroups.scheduling.volcano.sh"},
    "spec": {
        "group": "scheduling.volcano.sh", "scope": "Namespaced",
        "names": {"kind": "PodGroup", "plural": "podgroups", "singular": "podgroup"},
        "versions": [{"name": "v1beta1", "served": True, "storage": True,
                      "schema": {"openAPIV3Schema": {
                          "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]},
}
ACCOUNTS = ("default", "spark")


class Cluster:
    """Started by `with`, in a folder that goes away with it; or one that runs, which stays."""

    def __init__(self, folder, running=None):
        self.folder, self.is_ours = running or folder, not running
        self.connections = threading.local()

    def __enter__(self):
        if self.is_ours:
            signal.signal(signal.SIGTERM, self.end)
            subprocess.run([SCRIPT, "up", self.folder], check=True, stdout=subprocess.DEVNULL)
        self.kubeconfig = os.path.join(self.folder, "etc/admin.kubeconfig")
        with open(self.kubeconfig, encoding="utf-8") as file:
            self.server = re.search(r"https://(\S+)", file.read()).group(1)
        with open(os.path.join(self.folder, "etc/tokens/admin-token"), encoding="utf-8") as file:
            self.token = file.read().strip()
        pki = {name: os.path.join(self.folder, "pki", file) for name, file in (
            ("CA", "ca.crt"), ("KEY", "admin.key"), ("CERTIFICATE", "admin.crt"))}
        self.tls = ssl.create_default_context(cafile=pki["CA"])
        self.values = {"SERVER": self.server, "TOKEN": self.token, "CONTEXT": "stepop-test", **pki}
        self.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", POD_GROUPS)
        return self

    def __exit__(self, *_):
        if self.is_ours:
            subprocess.run([SCRIPT, "down", self.folder], check=True)

    def end(self, *_):
        """At once: the threads that submit would go on for minutes."""
        self.__exit__()
        os._exit(143)

    def request(self, method, path, body=None):
        """Again where the server has closed a connection that was kept, and where it asks to come
        later (a kind that was just defined: "storage is (re)initializing"): all requests allow it.
        """
        headers = {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"}
        for attempt in range(30):
            if not hasattr(self.connections, "kept"):
                self.connections.kept = http.client.HTTPSConnection(self.server, context=self.tls)
            try:
                self.connections.kept.request(method, path, body and json.dumps(body), headers)
                response = self.connections.kept.getresponse()
                answer = json.loads(response.read())
                if response.status not in (429, 503):
                    return response.status, answer
                time.sleep(float(response.headers.get("Retry-After", 1)))
            except (http.client.HTTPException, OSError):
                del self.connections.kept
                if attempt >= 4:
                    raise
        return response.status, answer

    def create(self, path, body):
        status, answer = self.request("POST", path, body)
        if status not in (200, 201, 409):
            raise RuntimeError("POST %s: %s" % (path, answer.get("message")))

    def delete_pod(self, namespace, name):
        status, answer = self.request("DELETE", "/api/v1/namespaces/%s/pods/%s" % (namespace, name))
        if status not in (200, 404):
            raise RuntimeError("DELETE %s: %s" % (name, answer.get("message")))

    def create_namespace(self, name):
        """With its accounts: pods are refused before they are there."""
        self.create("/api/v1/namespaces", {"metadata": {"name": name}})
        for account in ACCOUNTS:
            self.create("/api/v1/namespaces/%s/serviceaccounts" % name,
                        {"metadata": {"name": account}})

    def objects(self, namespace):
        """Complete (a list's members lack kind and version), without what is in every namespace."""
        found = []
        for version, kind, path, plural in KINDS:
            status, answer = self.request("GET", "%s/namespaces/%s/%s" % (path, namespace, plural))
            if status != 200:
                raise RuntimeError("GET %s: %s" % (plural, answer.get("message")))
            for item in answer["items"]:
                item.update(apiVersion=version, kind=kind)
                if (kind, item["metadata"]["name"]) not in (("ConfigMap", "kube-root-ca.crt"),
                                                            ("Service", "kubernetes")):
                    found.append(item)
        return found
