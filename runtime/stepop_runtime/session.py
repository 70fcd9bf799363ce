# SPDX-License-Identifier: Apache-2.0
"""The step's Spark. Three stages, each entered only when needed: nothing, a JVM, a session."""
import os
import sys

from .errors import RuntimeFault, StepError, advice
from .failure import summary


# For a master on this machine, where several steps run at once and their output is a log.
_LOCAL_DEFAULTS = (
    ("spark.driver.host", "127.0.0.1"),
    ("spark.driver.bindAddress", "127.0.0.1"),
    ("spark.ui.enabled", "false"),
    ("spark.ui.showConsoleProgress", "false"),
)


class Spark:
    """Spark as step.json's `spark` wants it (`settings`, None: the step is given none)."""

    def __init__(self, settings, code, scratch):
        self.settings = settings
        self._code = code
        self._scratch = scratch
        self._session = None

    def session(self):
        """The session, with the step's modules shipped to the executors."""
        if self._session is None:
            self._session = self._guarded(self._start)
        return self._session

    def jvm(self):
        """Spark's JVM. It can reach the store even where no session can be started."""
        return self._guarded(self._connect)

    def hadoop_configuration(self):
        context = _active_context()
        if context is not None:
            return context._jsc.hadoopConfiguration()
        jvm = self.jvm()
        return jvm.org.apache.spark.deploy.SparkHadoopUtil.get().newConfiguration(jvm.SparkConf())

    def _start(self):
        from pyspark.sql import SparkSession
        session = SparkSession.builder.config(conf=self._conf()).getOrCreate()
        from .code_archive import pack
        session.sparkContext.addPyFile(pack(self._code, self._scratch.path()))
        return session

    def _connect(self):
        from pyspark import SparkContext
        # In a driver pod this joins the JVM that started us; elsewhere it starts one.
        SparkContext._ensure_initialized(conf=self._conf())
        return SparkContext._jvm

    def _conf(self):
        """In a driver pod Spark's own properties are complete: only the name is repeated there."""
        from pyspark import SparkConf
        conf = SparkConf()
        if self.settings.get("app_name"):
            conf.setAppName(self.settings["app_name"])
        if self.settings.get("master"):
            # Workers of a local master are started by name, and must be of this Python.
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
            conf.setMaster(self.settings["master"])
            if self.settings["master"].startswith("local"):
                conf.setAll(_LOCAL_DEFAULTS)
            for key, value in sorted((self.settings.get("conf") or {}).items()):
                conf.set(key, str(value))
        return conf

    def _guarded(self, stage):
        if self.settings is None:
            raise StepError("this step is given no Spark, which its types or its artifact store need: "
                            "let a step operator with Spark run it")
        try:
            return stage()
        except ImportError as error:
            raise RuntimeFault("%s cannot import pyspark (%s): install pyspark for this Python, or choose "
                               "an image that has it" % (sys.executable, error)) from error
        except Exception as error:
            text = summary(error)
            raise RuntimeFault("start Spark: %s%s" % (text, advice(text))) from error


def _active_context():
    if "pyspark" not in sys.modules:
        return None
    from pyspark import SparkContext
    return SparkContext._active_spark_context


def stop():
    """Stops whatever session there is, the step's own included, so that its executors go."""
    context = _active_context()
    if context is None:
        return
    try:
        context.stop()
    except Exception as error:
        print("stepop: stop Spark: %s" % summary(error), file=sys.stderr)
