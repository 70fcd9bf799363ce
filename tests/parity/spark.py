# SPDX-License-Identifier: Apache-2.0
"""Spark's own spark-submit: one warm JVM for most, the real script where the environment counts."""

import hashlib
import os
import subprocess

from cluster import REPOSITORY

HERE = os.path.dirname(os.path.abspath(__file__))
SETUP = {"3.5.9": "spark", "4.3.0": "spark4"}
CACHE = os.environ.get("STEPOP_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "stepop")
# A JVM that lives for a second or two: no second compiler, no threads that collect garbage.
QUICK = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
OPENED = ["--add-opens=java.base/%s=ALL-UNNAMED" % package for package in (
    "java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio",
    "java.util", "java.util.concurrent", "sun.nio.ch", "sun.nio.cs", "sun.security.action",
    "sun.util.calendar")]


class Spark:
    """An installed Spark of one version."""

    def __init__(self, version):
        self.version = version
        found = subprocess.run([os.path.join(REPOSITORY, "scripts/setup.sh"), SETUP[version]],
                               check=True, stdout=subprocess.PIPE, text=True)
        self.venv = found.stdout.strip()
        python = next(name for name in os.listdir(os.path.join(self.venv, "lib"))
                      if name.startswith("python3"))
        self.home = os.path.join(self.venv, "lib", python, "site-packages/pyspark")
        self.jars = os.path.join(self.home, "jars/*")

    def compiled(self, source):
        """The folder of the classes of a Scala file, by the compiler that Spark has inside."""
        with open(os.path.join(HERE, source), "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()[:16]
        folder = os.path.join(CACHE, "parity", "%s-%s" % (self.version, digest))
        if not os.path.exists(folder):
            partial = "%s.%d" % (folder, os.getpid())
            os.makedirs(partial)
            subprocess.run(["java", *QUICK, "-cp", self.jars, "scala.tools.nsc.Main", "-usejavacp",
                            "-d", partial, os.path.join(HERE, source)], check=True)
            os.rename(partial, folder)
        return folder

    def java(self, source, main, *arguments):
        """The command that runs a Scala file's main class among Spark's own."""
        path = self.compiled(source) + ":" + self.jars
        return ["java", *QUICK, *OPENED, "-Xmx1g", "-cp", path, main, *arguments]

    def environment(self, kubeconfig, home, variables=None):
        """Nothing of this machine but what a program needs to run; the case's own on top."""
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": home,
                       "KUBECONFIG": kubeconfig, "SPARK_HOME": self.home, "SPARK_USER": "parity",
                       **(variables or {})}
        return {name: value for name, value in environment.items() if value}

    def submit(self, arguments, environment, folder):
        """By the real script, from within `folder`. None, or why it failed."""
        environment = {**environment, "SPARK_SUBMIT_OPTS": " ".join(QUICK)}
        command = [os.path.join(self.venv, "bin/spark-submit"), *arguments]
        with open(folder + ".log", "w+b") as output:
            status = subprocess.run(command, env=environment, cwd=folder, timeout=300,
                                    stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                    check=False).returncode
            output.seek(0)
            text = output.read().decode(errors="replace")
        return None if status == 0 else causes(text)


def causes(text):
    """The exceptions of a stack trace, as "class: message" lines; else what was said last."""
    lines = text.splitlines()
    found = [line.split("Caused by: ")[-1].split('Exception in thread "main" ')[-1]
             for line in lines if line.startswith(("Caused by: ", "Exception in thread"))]
    return "\n".join(found or [line for line in lines if line.strip()][-1:])


class WarmSpark:
    """A JVM that submits again and again (Submit.scala)."""

    def __init__(self, spark, environment, log):
        # The launcher of the real script gives it these, too.
        command = spark.java("Submit.scala", "org.apache.spark.deploy.ParitySubmit")
        with open(log, "wb") as output:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=output, text=True)

    def submit(self, arguments, file):
        """None, or why it failed. `file` is for its use."""
        with open(file, "w", encoding="utf-8") as text:
            text.write("".join(argument + "\0" for argument in arguments))
        self.process.stdin.write(file + "\n")
        self.process.stdin.flush()
        if self.process.stdout.readline() != "done %s\n" % file:
            raise RuntimeError("the JVM has ended")
        if not os.path.exists(file + ".error"):
            return None
        with open(file + ".error", encoding="utf-8") as text:
            return text.read()

    def close(self):
        self.process.stdin.close()
        self.process.wait()
