# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What tests/cli/*.sh share: a folder and a home of their own, and how commands are tried.
# Sourced with STEPOP set; what a test says is TAP, and ends with `finish`.
stepop=$(realpath "${STEPOP:?set it to the stepop to test}") || exit 1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME=$folder/home
unset STEPOP_HOME XDG_CONFIG_HOME STEPOP_SECRETS_KEY STEPOP_SECRETS_PASSPHRASE
mkdir -p "$HOME" && cd "$folder" || exit 1
count=0 failed=0
# All that stepop prints is kept here, for the last test.
said=$folder/said
id=AKIAQQQQHUSHHUSHHUSH value='hush/hush+hush='

say() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		failed=$((failed + 1))
		echo "not ok $count - $2"
		sed 's/^/# /' "$folder/out" "$folder/err" 2>/dev/null
	fi
}

run() {
	"$stepop" "$@" >"$folder/out" 2>"$folder/err"
	local status=$?
	cat "$folder/out" "$folder/err" >>"$said"
	return $status
}

# prints NAME LINE COMMAND...: it succeeds, and prints that line and nothing else.
prints() {
	local name=$1 line=$2
	shift 2
	run "$@" && [ "$(cat "$folder/out")" = "$line" ] && [ ! -s "$folder/err" ]
	say $? "$name"
}

# fails NAME STATUS PART COMMAND...: the status, and a part of what stderr says.
fails() {
	local name=$1 status=$2 part=$3 got
	shift 3
	run "$@"
	got=$?
	[ $got = "$status" ] && grep -qF -- "$part" "$folder/err" && [ ! -s "$folder/out" ]
	say $? "$name"
}

# gives NAME EXPRESSION COMMAND...: -o json is JSON, of which the Python expression holds.
gives() {
	local name=$1 expression=$2
	shift 2
	run "$@" -o json &&
		python3 -c "import json, sys; x = json.load(sys.stdin); sys.exit(not ($expression))" \
			<"$folder/out" 2>>"$folder/err"
	say $? "$name"
}

finish() {
	echo "1..$count"
	[ $failed = 0 ]
}
