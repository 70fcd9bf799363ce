# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the scripts of the test cluster share: messages, the cache, locks, background programs.
# shellcheck disable=SC2034,SC2154 # $setup is for the callers, $state is theirs

shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
setup=$here/../../scripts/setup.sh
cache=${STEPOP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/stepop}
self=$(basename "$0" .sh)

# A prefix for commands that talk to this machine, on machines that sit behind a proxy.
directly=(env 'NO_PROXY=*' 'no_proxy=*')

# say TEXT: progress, with the seconds since the script started.
say() { printf '%s: %3d s: %s\n' "$self" $SECONDS "$*" >&2; }

die() {
	printf '%s: %s\n' "$self" "$*" >&2
	exit 1
}

# retry COMMAND...: for what crosses the network.
retry() {
	local attempt
	for attempt in 1 2 3 4 5; do
		"$@" && return 0
		say "attempt $attempt failed: $1 ${2-} ${3-}"
		sleep $((attempt * 2))
	done
	return 1
}

# lock NAME: waits until nobody else holds it. It ends with the (sub)shell that took it;
# programs that outlive the shell must close file descriptor 9.
lock() {
	mkdir -p "$cache/locks"
	exec 9>"$cache/locks/$1"
	flock -n 9 && return
	say "waiting for another '$1' to end"
	flock 9
}

# digest_of FILE|FUNCTION|TEXT...: a short name for all that a thing is made from.
digest_of() {
	local part
	for part in "$@"; do
		if [ -f "$here/$part" ]; then
			cat "$here/$part"
		elif ! declare -f "$part"; then
			printf '%s\n' "$part"
		fi
	done | sha256sum | cut -c1-16
}

# wait_until SECONDS COMMAND...: silent polling, for what offers no event to a shell.
wait_until() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

# --- Programs in the background. $state names the folder of the cluster that they make up:
# run/NAME.pid holds the process id and its start time, log/NAME.log what it wrote.

# start_time PID: in clock ticks since boot; with it, a process id that was given to another
# process since is told apart. Nothing where there is no such process, or its corpse only.
start_time() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	# shellcheck disable=SC2086 # the fields after the name in parentheses
	set -- ${stat##*) }
	[ "$1" = Z ] || printf '%s\n' "${20}"
}

# pid_in FILE: the process that wrote FILE with write_pid, if it lives.
pid_in() {
	local pid started
	[ -s "$1" ] && read -r pid started <"$1" || return 1
	[ "$(start_time "$pid")" = "$started" ] && printf '%s\n' "$pid"
}

is_running() { pid_in "$state/run/$1.pid" >/dev/null; }

# start NAME COMMAND...: in a session of its own, unless it runs. The process writes its own
# pid file before it becomes the program, so that no program is ever without one.
start() {
	local name=$1
	shift
	is_running "$name" && return
	say "start $name"
	rm -f "$state/run/$name.pid"
	mkdir -p "$state/run" "$state/log"
	# shellcheck disable=SC2016 # expanded by the new shell
	setsid "$BASH" -c '. "$1/lib.sh"; pid_file=$2; shift 2
		printf "%s %s\n" $$ "$(start_time $$)" >"$pid_file.new"
		mv "$pid_file.new" "$pid_file"; exec "$@"' \
		"$0" "$here" "$state/run/$name.pid" "${directly[@]}" "$@" \
		>>"$state/log/$name.log" 2>&1 </dev/null 9>&- &
	disown # or bash reports its end
	wait_until 10 test -e "$state/run/$name.pid" || die "$name did not start"
}

# wait_ready NAME SECONDS COMMAND...: until COMMAND succeeds; dies with the end of NAME's log.
wait_ready() {
	local name=$1 seconds=$2 end=$((SECONDS + $2))
	shift 2
	until "$@" >/dev/null 2>&1; do
		if ! is_running "$name"; then
			show_log "$name"
			die "$name has ended"
		elif [ $SECONDS -ge $end ]; then
			show_log "$name"
			die "$name is not ready after $seconds s: $*"
		fi
		sleep 0.1
	done
}

show_log() {
	printf -- '--- the end of %s\n' "$state/log/$1.log" >&2
	tail -n 20 "$state/log/$1.log" >&2
}

# stop NAME [SIGNAL]: and waits for its end.
stop() {
	local pid
	pid=$(pid_in "$state/run/$1.pid") || return 0
	kill -s "${2:-KILL}" "$pid"
	wait_until 30 eval "! pid_in '$state/run/$1.pid'" || die "$1 (process $pid) does not end"
}
