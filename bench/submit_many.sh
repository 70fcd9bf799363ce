#!/usr/bin/env bash
# Many applications in one file: `stepop submit -f` beside a bare load generator that makes the same calls to the same
# API server, in turns. The load generator shows what that server can give to anyone.
. "$(dirname "$0")/lib.sh"
. "$root/bench/api_server.sh"
count=${COUNT:-500} rounds=${ROUNDS:-3}
make -s -C "$root" build/bench/load_generator >&2
applications "$count" 'spark.kubernetes.submission.waitAppCompletion: "false"' >"$folder/applications.yaml"

# objects NAMESPACE: what stepop would create there, for the load generator.
objects() { "$stepop" submit -f "$folder/applications.yaml" -n "$1" --dry-run=client -o json; }

# bare NAMESPACE IN_FLIGHT: prints submissions a second.
bare() {
	new_namespace "$1"
	objects "$1" >"$folder/objects.json"
	settle
	"$root/build/bench/load_generator" --server "$server" --cacert "$plane/pki/ca.crt" --cert "$plane/pki/admin.crt" \
		--key "$plane/pki/admin.key" --in-flight "$2" "$folder/objects.json" |
		tee -a "$folder/bare.log" | sed 's/.* rate=\([0-9.]*\).*/\1/'
}

# ours NAMESPACE: prints submissions a second, CPU in ms for each, peak RSS in MiB.
ours() {
	local pods
	new_namespace "$1"
	settle
	/usr/bin/time -o "$folder/time" -f '%e %U %S %M' "$stepop" submit -f "$folder/applications.yaml" -n "$1" \
		>"$folder/ours.log" 2>&1 || fail "stepop submit: $(tail -5 "$folder/ours.log")"
	pods=$("$kubectl" get pods -n "$1" -o name | wc -l)
	[ "$pods" = "$count" ] || fail "$pods of $count driver pods are there"
	awk -v n="$count" '{printf "%.1f %.2f %.1f\n", n / $1, ($2 + $3) * 1000 / n, $4 / 1024}' "$folder/time"
}

for ((round = 1; round <= rounds; round++)); do
	bare "bare-16-$round" 16 >>"$folder/bare-16"
	ours "ours-$round" >>"$folder/ours"
	bare "bare-32-$round" 32 >>"$folder/bare-32"
done
rate=$(cut -d' ' -f1 "$folder/ours" | median)
printf '%d applications in one file (median of %d)\n' "$count" "$rounds"
for in_flight in 16 32; do
	peer=$(median <"$folder/bare-$in_flight")
	printf '  stepop %6.1f/s   bare load generator, %2d in flight %6.1f/s   %.0f %%\n' "$rate" $in_flight "$peer" \
		"$(awk -v a="$rate" -v b="$peer" 'BEGIN {print 100 * a / b}')"
done
printf '  CPU of one submission: stepop %.2f ms, bare %s ms\n' "$(cut -d' ' -f2 "$folder/ours" | median)" \
	"$(sed 's/.* cpu_ms=//' "$folder/bare.log" | median)"
printf '  peak RSS of stepop: %.1f MiB\n' "$(cut -d' ' -f3 "$folder/ours" | median)"
