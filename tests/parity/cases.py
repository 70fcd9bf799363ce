# SPDX-License-Identifier: Apache-2.0
"""Reads the corpus: what is given to spark-submit and to stepop alike (cases/*.case; README.md)."""

import base64
import os
import re

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases")
VERSIONS = ("3.5.9", "4.3.0")
SETTINGS = {"covers", "only", "bare", "refused", "process", "deviation", "namespace"}

# What every submission begins with, unless its case is "bare".
BASE_OPTIONS = [
    "--master", "k8s://https://@SERVER@", "--deploy-mode", "cluster",
    "--conf", "spark.kubernetes.namespace=@NAMESPACE@",
    "--conf", "spark.kubernetes.container.image=spark:1",
]
# spark-submit would wait for ever, since nothing runs the pods; and a busy machine may be slow.
NO_WAIT = ["--conf", "spark.kubernetes.submission.waitAppCompletion=false",
           "--conf", "spark.kubernetes.submission.requestTimeout=120000",
           "--conf", "spark.kubernetes.submission.connectionTimeout=60000"]


class Case:
    """One configuration. `settings` are the "# name: value" lines of its head."""

    def __init__(self, name, text):
        self.name, self.text = name, text
        self.settings = {}
        self.files = {}
        head, *sections = re.split(r"(?m)^== (?=\S)", text)
        self.arguments = self._read_head(head)
        for section in sections:
            self._read_section(*section.split("\n", 1))
        environment = self.files.pop("environment", b"").decode()
        self.environment = dict(line.split("=", 1) for line in environment.splitlines())

    def _read_head(self, head):
        arguments, has_resource = [], False
        for line in head.splitlines():
            if line.startswith("#"):
                name, _, value = line[1:].strip().partition(": ")
                if name in SETTINGS:
                    self.settings[name] = value
            elif has_resource or not line.startswith("-"):
                has_resource = has_resource or bool(line)
                arguments += [line] if has_resource else []
            else:
                arguments += line.split(" ", 1)
        while arguments and not arguments[-1]:
            arguments.pop()
        # A line "" is an empty argument of the application.
        return ["" if argument == '""' else argument for argument in arguments]

    def _read_section(self, title, body):
        name, *how = title.split()
        if how == ["chomp"]:
            body = body.rstrip("\n")
        self.files[name] = base64.b64decode(body) if how == ["base64"] else body.encode()

    @property
    def versions(self):
        only = self.settings.get("only")
        return tuple(only.split()) if only else VERSIONS

    def is_refused(self, version):
        """Both must refuse it before any request: always, or by these versions."""
        refused = self.settings.get("refused")
        return refused is not None and (not refused or version in refused.split())

    def options(self, values):
        """All arguments, with the @NAME@s of `values` filled in."""
        base = NO_WAIT if "bare" in self.settings else BASE_OPTIONS + NO_WAIT
        return [fill(argument, values) for argument in base + self.arguments]

    def variables(self, values):
        return {name: fill(value, values) for name, value in self.environment.items()}

    def write_files(self, folder, values):
        os.makedirs(folder, exist_ok=True)
        for name, content in self.files.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(fill(content.decode("latin-1"), values).encode("latin-1"))


def fill(text, values):
    return re.sub(r"@(%s)@" % "|".join(values), lambda match: values[match.group(1)], text)


def read_all(pattern=""):
    cases = []
    for file in sorted(os.listdir(FOLDER)):
        name, extension = os.path.splitext(file)
        if extension == ".case" and re.search(pattern, name):
            with open(os.path.join(FOLDER, file), encoding="utf-8") as text:
                cases.append(Case(name, text.read()))
    return cases
