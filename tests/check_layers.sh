#!/usr/bin/env bash
# A file includes only from its own folder and from layers below it; this names the slips.
set -euo pipefail
cd "$(dirname "$0")/.."
layers="core cloud submit stacks materializers operator cli"
above=$layers
status=0
for layer in $layers; do
	above=${above#"$layer"}
	above=${above# }
	for forbidden in $above; do
		if grep -rn --include='*.[ch]' "#include \"$forbidden/" "$layer"; then
			echo "check_layers: $layer/ must not include from $forbidden/" >&2
			status=1
		fi
	done
	if grep -rnE --include='*.[ch]' '#include "[^/"]+"' "$layer"; then
		echo "check_layers: includes name their folder" >&2
		status=1
	fi
done
exit $status
