# SPDX-License-Identifier: Apache-2.0
"""What the runtime's tests share: a folder with code and store, step.json files, a run of main.py."""
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MAIN = os.path.join(ROOT, "runtime", "main.py")
sys.path.insert(0, os.path.join(ROOT, "runtime"))

RUN_ID = "7d1f" * 8
HAS_SPARK = importlib.util.find_spec("pyspark") is not None


def needs_spark(test):
    """Skips a test class, aloud, where this Python has no Spark."""
    if HAS_SPARK:
        return test
    print("SKIPPED: %s.%s: %s has no pyspark; scripts/setup.sh spark makes one that has"
          % (test.__module__, test.__name__, sys.executable), file=sys.stderr)
    return unittest.skip("no pyspark")(test)


class StepTest(unittest.TestCase):
    """Each test has a project folder of its own, with a name that is awkward on purpose."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="stepop-test-")
        self.addCleanup(holder.cleanup)
        self.folder = os.path.join(holder.name, "project [1]", ".stepop")
        self.code = os.path.join(self.folder, "code")
        os.makedirs(self.code)
        self.log = os.path.join(self.folder, "termination-log")

    def write(self, name, text):
        path = os.path.join(self.code, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(textwrap.dedent(text))
        return path

    def uri(self, step, output):
        return "file://%s/artifacts/%s/1/%s/" % (self.folder, step, output)

    def document(self, step="one", function=None, outputs=(), inputs=None, **changes):
        """step.json; `outputs` are (name, type), `inputs` are name: (type, 'step.output'); the
        rest replaces fields as it is."""
        document = {
            "version": 1, "pipeline": "test", "run": {"id": RUN_ID, "name": "test-1"}, "step": step, "attempt": 1,
            "source": {"file": "steps.py", "function": function or step}, "code": self.code,
            "parameters": {}, "files": {},
            "inputs": {name: {"type": kind, "uri": self.uri(*origin.split("."))}
                       for name, (kind, origin) in (inputs or {}).items()},
            "outputs": [{"name": name, "type": kind, "uri": self.uri(step, name)} for name, kind in outputs],
            "result": "file://%s/artifacts/%s/1/result.json" % (self.folder, step),
            "spark": None,
        }
        document.update(changes)
        return document

    def start(self, document, python=sys.executable):
        path = os.path.join(self.folder, "step-%s.json" % document.get("step"))
        with open(path, "w", encoding="utf-8") as stream:
            json.dump(document, stream)
        self.scratch = os.path.join(self.folder, "scratch")
        os.makedirs(self.scratch, exist_ok=True)
        environment = dict(os.environ, STEPOP_TERMINATION_LOG=self.log, TMPDIR=self.scratch)
        return subprocess.Popen([python, MAIN, path], env=environment, text=True, encoding="utf-8",
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run_step(self, document, expect=0):
        """Runs the step and gives its result; fails with its output if it exits otherwise."""
        process = self.start(document)
        self.stdout, self.stderr = process.communicate(timeout=180)
        self.assertEqual(process.returncode, expect, self.stdout + self.stderr)
        return self.result(document)

    def result(self, document):
        path = document["result"][len("file://"):]
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)

    def value(self, step, output, name="value.json"):
        with open(self.uri(step, output)[len("file://"):] + name, encoding="utf-8") as stream:
            return json.load(stream)

    def termination(self):
        with open(self.log, "rb") as stream:
            data = stream.read()
        return data, json.loads(data.decode("utf-8"))
