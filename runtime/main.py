# SPDX-License-Identifier: Apache-2.0
"""Runs one step: main.py STEP_JSON (docs/step-contract.md)."""
import os
import sys

# A ConfigMap volume is full of links; the folder as it was named is the one with the package.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from stepop_runtime.run import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
