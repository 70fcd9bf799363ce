# SPDX-License-Identifier: Apache-2.0
"""What an exception means to the user: its type, its message, its traceback from his own code on."""
import os

from .contract import cut_middle
from .errors import StepError

_HERE = os.path.dirname(os.path.abspath(__file__))
_WORKER_TRACE = "Traceback (most recent call last):"
_STORE_CLASSES = ("java.io.IOException", "java.lang.ClassNotFoundException", "java.lang.NoClassDefFoundError")
_MESSAGE_CHARACTERS = 4000
_TRACEBACK_CHARACTERS = 32000


def describe(exception):
    """The `error` of result.json for what the user's code, or a library below it, raised."""
    kind, message = type(exception).__name__, str(exception)
    trace = _format(exception)
    chain = java_chain(exception)
    worker = _worker_trace(chain)
    if worker:
        kind, message = _last_line(worker)
        trace += "\nOn an executor:\n" + worker
    elif chain:
        message = _cause_line(chain)
        if message.startswith(kind + ": "):
            message = message[len(kind) + 2:]
    elif isinstance(exception, SystemExit):
        message = "the function called sys.exit(%s)" % ("" if exception.code is None else repr(exception.code))
    return {"type": kind, "message": cut_middle(message, _MESSAGE_CHARACTERS),
            "traceback": cut_middle(trace, _TRACEBACK_CHARACTERS)}


def describe_own(error):
    """The same for a StepError or a RuntimeFault: its message is the explanation, and the traceback
    that of its cause. Without a cause there is nothing that a traceback could add."""
    if error.__cause__ is None:
        return {"type": type(error).__name__, "message": str(error), "traceback": ""}
    cause = describe(error.__cause__)
    kind = cause["type"] if isinstance(error, StepError) else type(error).__name__
    return dict(cause, type=kind, message=cut_middle(str(error), _MESSAGE_CHARACTERS))


def describe_bug(exception):
    """The same for a fault of the runtime itself: every frame counts."""
    import traceback
    trace = "".join(traceback.format_exception(type(exception), exception, exception.__traceback__))
    return {"type": type(exception).__name__, "message": "stepop's runtime failed: %s" % exception,
            "traceback": trace}


def summary(exception):
    """One line for a message about something else: 'FileNotFoundError: no such file …'."""
    described = describe(exception)
    if described["type"] == "Py4JJavaError":
        return described["message"]
    return "%s: %s" % (described["type"], described["message"])


def is_users(exception):
    """Whether a failure to save a value lies in the value. DataFrames are computed only then, so
    that the user's own functions fail here; what fails to reach the store is no fault of his."""
    chain = java_chain(exception)
    if not chain:
        return isinstance(exception, (TypeError, ValueError, NotImplementedError))
    if _worker_trace(chain):
        return True
    return not any(is_store for _, _, is_store in chain)


def java_chain(exception):
    """(class, message, is it about the store) of the Java exceptions behind a Python one, outermost
    first. Empty for others, and as far as it got where the JVM has gone away."""
    throwable = getattr(exception, "java_exception", None) or getattr(exception, "_origin", None)
    chain = []
    if throwable is None and type(exception).__module__.startswith("pyspark.errors.exceptions.captured"):
        # PySpark has kept the text alone of some, a failed worker's among them.
        chain = [(type(exception).__name__, str(exception), False)]
    try:
        while throwable is not None and len(chain) < 20:
            lineage, message = _class_names(throwable.getClass()), throwable.getMessage() or ""
            chain.append((lineage[0], message, _is_about_store(lineage, message)))
            throwable = throwable.getCause()
    except Exception:  # the gateway's errors are not importable without pyspark
        pass
    return chain


def _is_about_store(lineage, message):
    """Input and output, the AWS SDK, a file system that the image lacks, an output that exists."""
    return (any(name in _STORE_CLASSES or name.startswith(("com.amazonaws.", "software.amazon."))
                for name in lineage)
            or "PATH_ALREADY_EXISTS" in message)


def _class_names(java_class):
    names = []
    while java_class is not None:
        names.append(java_class.getName())
        java_class = java_class.getSuperclass()
    return names


def _cause_line(chain):
    """The root cause; where the outermost exception says more than a bare class, that as well."""
    name, message, _ = chain[-1]
    lines = [line for line in message.splitlines() if line.strip()]
    return "%s: %s" % (name.rpartition(".")[2], lines[0].strip()) if lines else name


def _worker_trace(chain):
    """The traceback of a Python worker, which travels as text in a Java message, without Spark's frames."""
    for _, message, _ in reversed(chain):
        if _WORKER_TRACE in message:
            lines = message[message.index(_WORKER_TRACE):].split("\n\tat ")[0].rstrip().splitlines()
            return "\n".join(_without_pyspark(lines)) + "\n"
    return None


def _without_pyspark(lines):
    kept, inside = [], False
    for line in lines:
        if line.startswith("  File "):
            inside = "/pyspark/" in line or "pyspark.zip" in line
        elif not line.startswith("   "):
            inside = False
        if not inside:
            kept.append(line)
    return kept


def _last_line(worker):
    """Type and message at the end of a traceback: what is not indented any more."""
    lines = worker.rstrip().splitlines()
    start = len(lines)
    for i, line in enumerate(lines):
        if line.startswith(_WORKER_TRACE):
            start = len(lines)
        elif start == len(lines) and line and not line.startswith(" "):
            start = i
    kind, _, message = "\n".join(lines[start:]).partition(": ")
    return (kind.rpartition(".")[2] or "Exception"), message


def _format(exception):
    """The traceback as Python prints it, beginning at the first frame that is not the runtime's."""
    import traceback
    trace = exception.__traceback__
    while trace is not None and _is_runtimes(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(exception), exception, trace))


def _is_runtimes(filename):
    return (filename.startswith((_HERE, "<frozen importlib"))
            or "/importlib/__init__.py" in filename)
