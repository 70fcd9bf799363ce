# SPDX-License-Identifier: Apache-2.0
"""The user's function: found, given its arguments, called, and what it returns matched to the outputs."""
import importlib
import os
import sys

from .errors import RuntimeFault, StepError, Terminated


class UserFailure(Exception):
    """Carries whatever the user's code raised (`__cause__`) past the runtime's own handlers."""


def check_syntax(step):
    """Fails on a syntax error before Spark is started, which takes seconds."""
    path = os.path.join(step.code, step.file)
    _call_users(lambda: compile(_source(step, path), path, "exec", dont_inherit=True))


def load_function(step):
    """Imports the step's file under the name by which executors import it, too."""
    path = os.path.join(step.code, step.file)
    _source(step, path)
    parts = step.file[:-len(".py")].split("/")
    if not step.file.endswith(".py") or any(not part or "." in part for part in parts):
        raise StepError("the source '%s' is no file that Python can import: it must end in .py and "
                        "have no other dot in its name" % step.file)
    sys.path.insert(0, step.code)
    name = ".".join(parts)
    module = _call_users(lambda: importlib.import_module(name))
    found = getattr(module, "__file__", None)
    if not found or not os.path.samefile(found, path):
        raise StepError("the source '%s' has the name of another Python module (%s): rename the file"
                        % (step.file, found or "built in"))
    return _attribute(module, step)


def _source(step, path):
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise RuntimeFault("the source '%s' cannot be read: %s" % (step.file, error)) from error


def _attribute(module, step):
    function = getattr(module, step.function, None)
    if function is None:
        near = [name for name, value in vars(module).items()
                if callable(value) and getattr(value, "__module__", None) == module.__name__]
        raise StepError("%s has no function '%s'; it has: %s"
                        % (step.file, step.function, ", ".join(near) or "none"))
    if not callable(function):
        raise StepError("'%s' of %s is not a function" % (step.function, step.file))
    return function


def _call_users(call):
    try:
        return call()
    except (KeyboardInterrupt, Terminated):
        raise
    except BaseException as error:
        raise UserFailure() from error


class _Signature:
    """The names that a function takes. `inspect` is left to the rare callables without code."""

    def __init__(self, function):
        while hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        if type(function).__name__ == "function":
            self._of_code(function, function.__code__)
        else:
            self._of_callable(function)

    def _of_code(self, function, code):
        positional = code.co_varnames[:code.co_argcount]
        keywords = code.co_varnames[code.co_argcount:code.co_argcount + code.co_kwonlyargcount]
        defaults = len(function.__defaults__ or ())
        self.names = positional[code.co_posonlyargcount:] + keywords
        self.required = positional[:len(positional) - defaults] + tuple(
            name for name in keywords if name not in (function.__kwdefaults__ or {}))
        self.any_name = bool(code.co_flags & 0x08)  # CO_VARKEYWORDS

    def _of_callable(self, function):
        import inspect
        kinds = inspect.signature(function).parameters.values()
        named = [p for p in kinds if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        self.names = tuple(p.name for p in named)
        self.required = tuple(p.name for p in kinds if p.default is p.empty
                              and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))
        self.any_name = any(p.kind == p.VAR_KEYWORD for p in kinds)


def takes_spark(step, function):
    """Whether the function wants a session. Refused here where the step has none to give."""
    signature = _Signature(function)
    given = set(step.parameters) | set(step.files) | {entry.name for entry in step.inputs}
    if "spark" in given or "spark" not in signature.names:
        return False
    if step.spark is not None:
        return True
    if "spark" in signature.required:
        raise StepError("%s:%s takes 'spark', but this step is given no Spark session: let a step "
                        "operator with Spark run it" % (step.file, step.function))
    return False


def check_arguments(step, function, names):
    """Tells unknown and missing arguments before anything is loaded for them."""
    signature = _Signature(function)
    where = "%s:%s" % (step.file, step.function)
    unknown = [] if signature.any_name else sorted(set(names) - set(signature.names))
    missing = [name for name in signature.required if name not in names]
    if unknown:
        raise StepError("%s takes no argument %s; it takes: %s"
                        % (where, _quoted(unknown), ", ".join(signature.names) or "none"))
    if missing:
        raise StepError("%s needs %s: name it under the step's parameters, files or inputs"
                        % (where, _quoted(missing)))


def call(step, function, arguments):
    """What the function returns. A step that exits has failed, unless nothing is missing then."""
    try:
        return _call_users(lambda: function(**arguments))
    except UserFailure as failure:
        cause = failure.__cause__
        if not isinstance(cause, SystemExit) or cause.code not in (None, 0):
            raise
        if step.outputs:
            raise StepError("the function ended with sys.exit() and returned no outputs") from None
        return None


def match_outputs(step, value):
    """Pairs the declared outputs with the parts of `value`, in their order."""
    names = [output.name for output in step.outputs]
    if not names:
        if value is not None:
            print("stepop: step '%s' declares no outputs: the %s that it returned is not kept"
                  % (step.name, type_name(value)), file=sys.stderr)
        return []
    if len(names) == 1:
        return [(step.outputs[0], value)]
    if isinstance(value, dict):
        return list(zip(step.outputs, _of_dict(names, value)))
    if isinstance(value, (tuple, list)):
        if len(value) != len(names):
            raise StepError("the function returned %d values for %d outputs (%s)"
                            % (len(value), len(names), ", ".join(names)))
        return list(zip(step.outputs, value))
    raise StepError("the function returned a %s: with several outputs (%s) it must return a dict with "
                    "these names, or a tuple in this order" % (type_name(value), ", ".join(names)))


def _of_dict(names, value):
    missing = [name for name in names if name not in value]
    extra = [str(name) for name in value if name not in names]
    if missing or extra:
        raise StepError("the dict that the function returned does not fit its outputs: " + "; ".join(
            (["%s missing" % _quoted(missing)] if missing else [])
            + (["%s not declared" % _quoted(extra)] if extra else [])))
    return [value[name] for name in names]


def type_name(value):
    """The type of a value as a user writes it: 'dict', 'pandas.core.frame.DataFrame'."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else kind.__module__ + "." + kind.__qualname__


def _quoted(names):
    return ", ".join("'%s'" % name for name in names)
