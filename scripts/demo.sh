#!/usr/bin/env bash
# `make demo`: a project folder, the example pipeline on the embedded default stack, and what came of it.
# usage: scripts/demo.sh STEPOP [FOLDER]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
stepop=$(realpath "$1")
folder=${2:-$root/.demo}
venv=$("$root/scripts/setup.sh" spark)

# Steps run with this Python: the flavor `local` takes the active virtual environment's.
export VIRTUAL_ENV=$venv PATH=$venv/bin:$PATH
unset SPARK_HOME PYSPARK_PYTHON PYSPARK_DRIVER_PYTHON STEPOP_HOME

say() { printf '\n$ %s\n' "$*"; }

mkdir -p "$folder"
cd "$folder"
say stepop init
"$stepop" init
say stepop run examples/spark_pipeline/pipeline.yaml
"$stepop" run -s default "$root/examples/spark_pipeline/pipeline.yaml"
say stepop runs list
"$stepop" runs list
printf '\nTo see more of it: cd %q && %q runs describe @latest\n' "$folder" "$stepop"
