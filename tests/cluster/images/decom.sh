#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Spark's default preStop hook of executors: SIGPWR makes the JVM hand its blocks over and end.
pid=$(pgrep -o java) || exit 0
kill -s PWR "$pid"
timeout 60 tail --pid "$pid" -f /dev/null
