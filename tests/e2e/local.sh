#!/usr/bin/env bash
# Whole runs of plain Python steps on the embedded default stack: order, failures, output, cancelling.
. "$(dirname "$0")/lib.sh"

"$stepop" init >/dev/null

cat >steps.py <<'PY'
import os
import time

from helpers import double


def one():
    print("hello from one")
    return 1


def twice(value):
    return double(value)


def both(left, right, scale):
    return {"sum": left + right, "scaled": scale * (left + right)}


def breaks(value):
    return {}["no such key"]


def sleeps(flag):
    open(flag, "w").write(str(os.getpid()))
    while True:
        time.sleep(0.1)
PY
echo 'def double(x): return 2 * x' >helpers.py

cat >diamond.yaml <<'YAML'
apiVersion: stepop/v1
kind: Pipeline
name: diamond
parameters: {scale: 10}
steps:
  start: {source: "steps.py:one", outputs: {number: json}}
  left: {source: "steps.py:twice", inputs: {value: start.number}, outputs: {number: json}}
  right: {source: "steps.py:twice", inputs: {value: start.number}, outputs: {number: json}}
  end:
    source: steps.py:both
    inputs: {left: left.number, right: right.number}
    parameters: {scale: "${{ parameters.scale }}"}
    outputs: {sum: json, scaled: json}
YAML
run "$stepop" run diamond.yaml -o json
expect_status 0 "a diamond of plain steps succeeds"
check "its values are right" test "$(json "$out" '[a["metadata"]["value"] for a in d["artifacts"] if a["artifact"]=="end.scaled"][0]')" = 40
run "$stepop" run diamond.yaml -p scale=3 -o json
check "a parameter of the command line wins" test "$(json "$out" '[a["metadata"]["value"] for a in d["artifacts"] if a["artifact"]=="end.scaled"][0]')" = 12
run "$stepop" logs @latest start
expect_out '^hello from one$' "the log of a step is kept"
run "$stepop" run -v diamond.yaml
expect_err 'start \| hello from one' "-v shows the output of steps"
run "$stepop" runs list -o json
check "every run is recorded" test "$(json "$out" 'len(d)')" = 3

cat >broken.yaml <<'YAML'
apiVersion: stepop/v1
kind: Pipeline
name: broken
steps:
  start: {source: "steps.py:one", outputs: {number: json}}
  bad: {source: "steps.py:breaks", inputs: {value: start.number}, outputs: {x: json}}
  after_bad: {source: "steps.py:twice", inputs: {value: bad.x}, outputs: {number: json}}
  independent: {source: "steps.py:twice", inputs: {value: start.number}, outputs: {number: json}}
YAML
run "$stepop" run broken.yaml -o json
expect_status 3 "a run with a failed step has exit status 3"
expect_err "KeyError: 'no such key'" "the exception is the reason"
expect_err 'steps.py", line [0-9]+, in breaks' "the traceback is shown, from the user's own code on"
check "the runtime's frames are left out" sh -c "! grep -q stepop_runtime '$err'"
check "what needs the failed step is skipped" test "$(json "$out" '[s["state"] for s in d["steps"] if s["step"]=="after_bad"][0]')" = skipped
check "what does not need it finishes" test "$(json "$out" '[s["state"] for s in d["steps"] if s["step"]=="independent"][0]')" = succeeded
run "$stepop" runs describe @latest
expect_out "KeyError" "runs describe tells why it failed"

cat >endless.yaml <<'YAML'
apiVersion: stepop/v1
kind: Pipeline
name: endless
parameters: {flag: none}
steps:
  sleeper: {source: "steps.py:sleeps", parameters: {flag: "${{ parameters.flag }}"}}
  never: {source: "steps.py:one", after: [sleeper], outputs: {number: json}}
YAML
mkfifo "$scratch/flag"
"$stepop" run endless.yaml -p "flag=$scratch/flag" >"$out" 2>"$err" &
pid=$!
child=$(cat "$scratch/flag")
kill -INT "$pid"
status=0
wait "$pid" || status=$?
expect_status 130 "Ctrl-C ends with 130"
check "the step's process is gone" sh -c "! kill -0 $child"
run "$stepop" runs list -o json
check "the run is recorded as cancelled" test "$(json "$out" 'd[0]["state"]')" = cancelled

sed -i 's/source: "steps.py:one", outputs/sorce: "steps.py:one", outptus/; s/start.number/strat.number/' broken.yaml
run "$stepop" run broken.yaml
expect_status 9 "a pipeline file with faults is refused"
expect_err "broken.yaml:5:[0-9]+: .*sorce.*source" "a fault has a place and a suggestion"
expect_err "broken.yaml:[68]:[0-9]+: .*strat" "all faults are told at once"
