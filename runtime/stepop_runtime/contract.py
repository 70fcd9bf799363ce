# SPDX-License-Identifier: Apache-2.0
"""step.json and result.json: docs/step-contract.md in code."""
import json
import os
import time

from .errors import RuntimeFault

VERSION = 1
TERMINATION_LOG_BYTES = 4000
_KIND_NAMES = {dict: "an object", list: "a list", str: "a string", int: "a number"}


class Artifact:
    """An input or an output: its name in the step, its type, the folder that holds it."""

    def __init__(self, name, entry, where):
        self.name = name
        self.type = _field(entry, "type", str, where)
        self.uri = _uri(entry, "uri", where)
        if not self.uri.endswith("/"):
            raise RuntimeFault("step.json: '%s.uri' is a folder and must end in '/'" % where)


class Step:
    """One attempt of one step, as step.json describes it."""

    def __init__(self, document):
        if not isinstance(document, dict):
            raise RuntimeFault("step.json must be an object")
        if document.get("version") != VERSION:
            raise RuntimeFault("step.json has version %r, this runtime reads version %d: stepop and "
                               "its runtime must be of one release" % (document.get("version"), VERSION))
        source = _field(document, "source", dict)
        self.run_id = _field(_field(document, "run", dict), "id", str, "run")
        self.name = _field(document, "step", str)
        self.attempt = _field(document, "attempt", int)
        self.file = _field(source, "file", str, "source")
        self.function = _field(source, "function", str, "source")
        self.code = _field(document, "code", str)
        self.parameters = _field(document, "parameters", dict)
        self.files = {name: _uri(_field(document, "files", dict), name, "files")
                      for name in _field(document, "files", dict)}
        self.inputs = [Artifact(name, entry, "inputs." + name)
                       for name, entry in _field(document, "inputs", dict).items()]
        self.outputs = [Artifact(_field(entry, "name", str, "outputs[%d]" % i), entry, "outputs[%d]" % i)
                        for i, entry in enumerate(_field(document, "outputs", list))]
        self.result = _uri(document, "result")
        self.spark = document.get("spark")
        if self.spark is not None:
            _field(document, "spark", dict)
        self._refuse_twins()

    def _refuse_twins(self):
        arguments = list(self.parameters) + list(self.files) + [entry.name for entry in self.inputs]
        for what, names in (("arguments", arguments), ("outputs", [o.name for o in self.outputs])):
            twins = sorted({name for name in names if names.count(name) > 1})
            if twins:
                raise RuntimeFault("step.json: two %s are called '%s'" % (what, twins[0]))


def _field(document, name, kind, where=""):
    path = where + "." + name if where else name
    if not isinstance(document, dict):
        raise RuntimeFault("step.json: '%s' must be an object" % where)
    if name not in document:
        raise RuntimeFault("step.json: '%s' is missing" % path)
    value = document[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise RuntimeFault("step.json: '%s' must be %s" % (path, _KIND_NAMES[kind]))
    return value


def _uri(document, name, where=""):
    uri = _field(document, name, str, where)
    if not uri.startswith(("file:///", "s3://")):
        raise RuntimeFault("step.json: '%s' must begin with file:/// or s3://, not '%s'"
                           % (where + "." + name if where else name, uri))
    return uri


def read(path):
    """The step in the file `path`."""
    try:
        with open(path, "rb") as stream:
            document = json.loads(stream.read().decode("utf-8"))
    except (OSError, ValueError) as error:
        raise RuntimeFault("read %s: %s" % (path, error)) from error
    return Step(document)


def now():
    """The time as the contract writes it: UTC, with milliseconds."""
    seconds, milliseconds = divmod(int(time.time() * 1000), 1000)
    return "%s.%03dZ" % (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)), milliseconds)


def result(step, started_at, outputs, error):
    """The document for result.json. `step` is None where step.json could not be read."""
    return {
        "version": VERSION,
        "run": step.run_id if step else None,
        "step": step.name if step else None,
        "attempt": step.attempt if step else None,
        "state": "failed" if error else "succeeded",
        "started_at": started_at,
        "ended_at": now(),
        "outputs": outputs,
        "error": error,
    }


def encode(document):
    """JSON that every parser takes: no NaN, no lone surrogates, no NUL."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("\\u0000", "?").encode("utf-8", "replace")


def cut_middle(text, keep):
    """`text` with at most `keep` of its own characters, more of its end than of its beginning."""
    if len(text) <= keep:
        return text
    head = keep // 3
    tail = text[len(text) - (keep - head):]
    return "%s\n[… %d characters are left out …]\n%s" % (text[:head], len(text) - keep, tail)


def shortened(document, limit=TERMINATION_LOG_BYTES):
    """`document` as at most `limit` bytes of JSON: what explains least is lost first."""
    short = dict(document, error=document["error"] and dict(document["error"]))
    if short["error"]:
        _cut(short, "traceback", limit)
    if len(encode(short)) > limit:
        short["outputs"] = None
    if short["error"]:
        _cut(short, "message", limit)
    return encode(short)


def _cut(document, name, limit):
    """Leaves as much of the error's text `name` as `limit` bytes allow."""
    if len(encode(document)) <= limit:
        return
    text = document["error"][name]
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        document["error"][name] = cut_middle(text, middle)
        if len(encode(document)) <= limit:
            low = middle
        else:
            high = middle - 1
    document["error"][name] = cut_middle(text, low)


def write_termination_log(document):
    """Leaves the result with the kubelet as well. Nothing depends on it, so a fault is only told."""
    path = os.environ.get("STEPOP_TERMINATION_LOG")
    if not path:
        path = "/dev/termination-log"
        if not os.path.exists(path):
            return None
    try:
        with open(path, "wb") as stream:
            stream.write(shortened(document))
    except OSError as error:
        return "write the termination log %s: %s" % (path, error)
    return None
