# SPDX-License-Identifier: Apache-2.0
"""The half of stepop that runs inside a step: loads inputs, calls the function, saves outputs."""
