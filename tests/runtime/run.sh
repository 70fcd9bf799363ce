#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tests the Python runtime: `run.sh` its own part, in seconds; `run.sh spark` all of it, with Spark, in minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

python=/usr/bin/python3
modules=(test_contract test_invoke test_example.Data)
case ${1-} in
'') ;;
spark)
	python=$(scripts/setup.sh spark)/bin/python
	modules=(test_contract test_invoke test_spark test_example)
	;;
*)
	echo "usage: tests/runtime/run.sh [spark]" >&2
	exit 2
	;;
esac

PYTHONPATH=tests/runtime exec "$python" -B -m unittest "${modules[@]}"
