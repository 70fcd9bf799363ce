# SPDX-License-Identifier: Apache-2.0
"""One step from step.json to result.json: the order of things, and the exit status."""
import os
import signal
import sys

from . import contract, invoke, storage
from .errors import RuntimeFault, StepError, Terminated, advice
from .failure import describe, describe_bug, describe_own, is_users, summary
from .session import Spark, stop

SUCCEEDED, STEP_FAILED, RUNTIME_FAILED, TERMINATED = 0, 1, 70, 143
STOP_LIMIT_S = 60
TERMINATION_LIMIT_S = 5


class Context:
    """What materializers work with. `spark` is the session, started when first looked at."""

    def __init__(self, step):
        self.scratch = storage.Scratch()
        self._spark = Spark(step.spark, step.code, self.scratch)
        self.storage = storage.Storage(self._spark, self.scratch)

    @property
    def spark(self):
        return self._spark.session()


def _exit_at_once(status):
    """Past Python's own way out, which may wait for threads and for the JVM."""
    for scratch in storage.Scratch.made:
        scratch.remove()
    os._exit(status)


class Termination:
    """SIGTERM, remembered: a step that swallows the exception must not succeed all the same."""

    def __init__(self):
        self.asked = False
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, number, frame):
        """The step may clean up, but not for long: a call into Spark's JVM waits for its job to end,
        and so does any further call on the way out of it."""
        if self.asked:
            _exit_at_once(TERMINATED)
        self.asked = True
        signal.signal(signal.SIGALRM, self._on_signal)
        signal.alarm(TERMINATION_LIMIT_S)
        raise Terminated()

    def close(self):
        """From here on the step is decided, and its result is written."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if self.asked:
            raise Terminated()


def main(arguments):
    """The exit status of the step that the file arguments[0] describes."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
    termination = Termination()
    try:
        return _main(arguments, termination)
    except (Terminated, KeyboardInterrupt):
        # At once: what is left to clean up ends with this process, the JVM included.
        print("stepop: the step was asked to end", file=sys.stderr)
        sys.stdout.flush()
        _exit_at_once(TERMINATED)


def _main(arguments, termination):
    started_at = contract.now()
    try:
        if len(arguments) != 1:
            raise RuntimeFault("usage: main.py STEP_JSON")
        step = contract.read(arguments[0])
    except RuntimeFault as fault:
        return _report_unread(started_at, fault)
    context = Context(step)
    outputs = {}
    status, error = _guarded(step, context, outputs)
    termination.close()
    status = _commit(step, context, contract.result(step, started_at, outputs, error), status)
    _leave(status)
    context.scratch.remove()
    return status


def _report_unread(started_at, fault):
    error = {"type": "RuntimeFault", "message": str(fault), "traceback": ""}
    print("stepop: %s" % fault, file=sys.stderr)
    contract.write_termination_log(contract.result(None, started_at, {}, error))
    return RUNTIME_FAILED


def _guarded(step, context, outputs):
    """Runs the step; gives the exit status and the `error` of result.json."""
    try:
        _perform(step, context, outputs)
        return SUCCEEDED, None
    except invoke.UserFailure as failure:
        status, error = STEP_FAILED, describe(failure.__cause__)
    except StepError as failure:
        status, error = STEP_FAILED, describe_own(failure)
    except RuntimeFault as failure:
        status, error = RUNTIME_FAILED, describe_own(failure)
    except Exception as failure:
        status, error = RUNTIME_FAILED, describe_bug(failure)
    print("stepop: step '%s' failed: %s: %s\n%s"
          % (step.name, error["type"], error["message"], error["traceback"].rstrip()), file=sys.stderr)
    return status, error


def _perform(step, context, outputs):
    materializers = _materializers(step)
    if any(entry.type.startswith("spark.") for entry in step.inputs + step.outputs):
        # Before the module: what it does when imported may ask for the active session.
        invoke.check_syntax(step)
        context.spark
    function = invoke.load_function(step)
    wants_spark = invoke.takes_spark(step, function)
    names = list(step.parameters) + list(step.files) + [entry.name for entry in step.inputs]
    invoke.check_arguments(step, function, names + ["spark"] * wants_spark)

    arguments = dict(step.parameters)
    arguments.update((name, storage.readable(uri)) for name, uri in step.files.items())
    if wants_spark:
        arguments["spark"] = context.spark
    for entry in step.inputs:
        arguments[entry.name] = _load(entry, materializers, context)
    returned = invoke.call(step, function, arguments)
    for entry, value in invoke.match_outputs(step, returned):
        outputs[entry.name] = _save(entry, value, materializers, context)


def _materializers(step):
    if not step.inputs and not step.outputs:
        return {}
    from .materializers import find
    return {entry.type: find(entry.type) for entry in step.inputs + step.outputs}


def _load(entry, materializers, context):
    try:
        return materializers[entry.type].load(entry.uri, context)
    except (StepError, RuntimeFault):
        raise
    except Exception as error:
        text = summary(error)
        raise RuntimeFault("input '%s' (%s) cannot be loaded from %s: %s%s"
                           % (entry.name, entry.type, entry.uri, text, advice(text))) from error


def _save(entry, value, materializers, context):
    kind = invoke.type_name(value)
    try:
        metadata = materializers[entry.type].save(value, entry.uri, context)
    except (StepError, RuntimeFault):
        raise
    except Exception as error:
        text = summary(error)
        if is_users(error):
            raise StepError("output '%s' (%s) cannot be made from the %s that the function returned: %s"
                            % (entry.name, entry.type, kind, text)) from error
        raise RuntimeFault("output '%s' (%s) cannot be saved to %s: %s%s"
                           % (entry.name, entry.type, entry.uri, text, advice(text))) from error
    return {"type": entry.type, "uri": entry.uri, "metadata": dict(metadata, python_type=kind)}


def _commit(step, context, document, status):
    """Writes result.json, then the termination log; both say the same."""
    try:
        context.storage.write(step.result, contract.encode(document))
    except Exception as error:
        text = summary(error)
        message = "the result cannot be written to %s: %s%s" % (step.result, text, advice(text))
        print("stepop: %s" % message, file=sys.stderr)
        if status == SUCCEEDED:
            status = RUNTIME_FAILED
            document.update(state="failed", error={
                "type": "RuntimeFault", "message": message, "traceback": ""})
    complaint = contract.write_termination_log(document)
    if complaint:
        print("stepop: %s" % complaint, file=sys.stderr)
    return status


def _leave(status):
    """Stops Spark, and sees to it that neither this nor a forgotten thread keeps the step alive.
    Where nothing has imported threading there are no threads to wait for."""
    if "threading" not in sys.modules:
        return
    import threading

    def give_up():
        print("stepop: the process does not end by itself: left after %d s" % STOP_LIMIT_S, file=sys.stderr)
        sys.stdout.flush()
        _exit_at_once(status)

    watchdog = threading.Timer(STOP_LIMIT_S, give_up)
    watchdog.daemon = True
    watchdog.start()
    stop()
