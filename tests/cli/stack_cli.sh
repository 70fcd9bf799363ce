#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Projects, components, stacks and secrets as they are typed; no value of a secret anywhere.
# usage: STEPOP=build/asan/stepop tests/cli/stack_cli.sh      (output: TAP)
set -uo pipefail
# shellcheck source=tests/cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cli_lib.sh"
mkdir -p "$folder/project/below" && cd "$folder/project" || exit 1

fails 'without a project the way out is named' 5 "run 'stepop init'" stack list
prints 'init makes a project' "$PWD/.stepop made; its stack 'default' runs steps on this machine" init
prints 'init may be repeated' "$PWD/.stepop is there and complete" init
gives 'init for machines' 'x["created"] is False' init

# What a user types (the second section of the README).
printf '%s\n' "$value" >key.txt
prints 'a secrets manager is registered' 'secrets-manager/vault registered' \
	secrets-manager register vault --flavor=local
prints 'a secret is registered before any stack has the manager' 'secret/s3_authentication registered' \
	secrets-manager secret register s3_authentication --schema=aws \
	--aws_access_key_id=$id --aws_secret_access_key=@key.txt
prints 'a step operator is registered by its flavor alone' 'step-operator/spark_step_operator registered' \
	register --flavor spark-kubernetes spark_step_operator --master=k8s://https://192.0.2.1:6443 \
	--namespace=spark-namespace --service_account=spark-service-account --docker_parent_image=registry/spark:3.5.9
prints 'an artifact store is registered' 'artifact-store/s3_store registered' \
	artifact-store register s3_store --flavor=s3 --path=s3://bucket/prefix \
	--endpoint_url=http://192.0.2.1:9000 --region=us-east-1 --authentication_secret=s3_authentication
prints 'a stack is registered and made active' 'stack/spark_stack registered, and made the active stack' \
	stack register spark_stack -o default -s spark_step_operator -x vault -a s3_store --set

# The other spellings.
prints 'kebab case, values apart, options first' 'step-operator/again registered' \
	step-operator register --flavor spark-kubernetes --master k8s://https://192.0.2.1:6443 \
	--service-account account --docker-parent-image image --namespace other again
cmp -s .stepop/components/step-operator/again.yaml - <<'EOF'
apiVersion: stepop/v1
kind: Component
flavor: spark-kubernetes
options:
  master: k8s://https://192.0.2.1:6443
  namespace: other
  service_account: account
  docker_parent_image: image
EOF
say $? 'the file is short and in order'
prints 'long names of the stack' 'stack/other registered' stack register other \
	--orchestrator=default --step_operator=again --artifact-store s3_store --secrets-manager=vault --metadata_store=default
gives 'properties may be repeated or be JSON' 'x["result"] == "updated"' \
	step-operator update again --submit_kwargs spark.a=b --submit_kwargs '{"spark.c": 2}'
gives 'an update is merged' 'x["options"]["submit_kwargs"] == {"spark.a": "b", "spark.c": 2} and x["options"]["namespace"] == "other"' \
	step-operator describe again
prints 'an option can be removed' 'step-operator/again updated' step-operator update again --unset=namespace
gives 'it is gone' '"namespace" not in x["options"]' step-operator describe again

# Reading.
gives 'stacks are listed' '[(s["name"], s["active"]) for s in x] == [("default", False), ("other", False), ("spark_stack", True)]' \
	stack list
gives 'the active stack is described' 'x["name"] == "spark_stack" and x["components"]["artifact-store"]["flavor"] == "s3"' \
	stack describe
gives 'components are listed' '[c["name"] for c in x] == ["again", "default", "spark_step_operator"]' step-operator list
gives 'flavors are listed' '{f["flavor"] for f in x} >= {"local", "s3"}' artifact-store flavors
gives 'options of a flavor are listed' 'any(o["option"] == "path" and o["required"] for o in x)' artifact-store flavors s3
prints 'names for scripts' $'default\ns3_store' artifact-store list -o name
(cd below && run stack describe -o yaml) && grep -q '^name: spark_stack$' "$folder/out"
say $? 'a project is found from a folder below it'
gives 'secrets are listed without values' 'x == [{"name": "s3_authentication", "schema": "aws", "keys": ["aws_access_key_id", "aws_secret_access_key"]}]' \
	secrets-manager secret list
gives 'a secret is described by its keys' 'len(x["keys"]) == 2' secrets-manager secret describe s3_authentication

fails 'a secret that is used stays' 6 "artifact store 's3_store' of stack 'spark_stack'" \
	secrets-manager secret delete s3_authentication

# Values of secrets.
printf '%s\n' "$value" | run secrets-manager secret register piped --password=- --user @@name
say $? 'a value from standard input'
prints 'a value is changed, the others stay' 'secret/piped updated' secrets-manager secret update piped --password=@key.txt
gives 'both keys are there' 'x["keys"] == ["password", "user"] or x["keys"] == ["user", "password"]' \
	secrets-manager secret describe piped
prints 'a key is removed' 'secret/piped updated' secrets-manager secret update piped --unset=user
prints 'a secret is deleted' 'secret/piped deleted' secrets-manager secret delete piped
fails 'without a terminal nothing is asked for' 2 '--password=@FILE' secrets-manager secret register x --password </dev/null
fails 'one key of standard input' 2 'one value only' secrets-manager secret register x --a=- --b=- </dev/null
fails 'a missing file is named' 5 'nowhere.txt' secrets-manager secret register x --a=@nowhere.txt
fails 'a taken name' 6 'secret update s3_authentication' secrets-manager secret register s3_authentication --schema=aws \
	--aws_access_key_id=$id --aws_secret_access_key="$value"
fails 'all faults of a schema' 9 "did you mean '--aws_access_key_id'?" secrets-manager secret register x --schema=aws \
	--aws_acces_key_id=$id --colour="$value"
fails 'an unknown manager' 5 "did you mean 'vault'?" secrets-manager secret list -x valt
prints 'a second manager' 'secrets-manager/second registered' secrets-manager register second --flavor=local
prints 'a manager is chosen' 'secret/here registered' secrets-manager secret register here -x second --a="$value"
prints 'without a choice it is that of the active stack' s3_authentication secrets-manager secret list -o name
prints 'another stack is made active' 'stack/default made the active stack' stack set default
fails 'several managers and none in the stack' 2 'choose one with --secrets-manager' secrets-manager secret list
(export STEPOP_SECRETS_KEY=00 && run secrets-manager secret list -x vault)
[ $? = 9 ] && grep -qF 'STEPOP_SECRETS_KEY' "$folder/err"
say $? 'a malformed key is explained'

# A terminal: asked for without echo; Ctrl-C leaves it with echo, and dies by the signal.
cat >"$folder/terminal.py" <<'EOF'
import os, pty, signal, sys, termios
stepop, name, typed, status = sys.argv[1], sys.argv[2], sys.argv[3].encode(), int(sys.argv[4])
pid, terminal = pty.fork()
if not pid:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(stepop, [stepop, "secrets-manager", "secret", "register", name, "--schema=postgres", "--user=me", "-x", "vault"])
said = b""
while b"password: " not in said:
    said += os.read(terminal, 1000)
hidden = not termios.tcgetattr(terminal)[3] & termios.ECHO
os.write(terminal, typed)
ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
shown = termios.tcgetattr(terminal)[3] & termios.ECHO
print(said, hidden, shown, ended)
sys.exit(not (hidden and shown and ended == status))
EOF
timeout 30 python3 "$folder/terminal.py" "$stepop" asked $'geheim-hush/hush\n' 0 >"$folder/out" 2>"$folder/err"
say $? 'a missing value is asked for without echo'
timeout 30 python3 "$folder/terminal.py" "$stepop" asked2 $'\x03' -2 >"$folder/out" 2>"$folder/err"
say $? 'Ctrl-C at the question leaves a usable terminal'
gives 'what was typed is kept' '"password" in x["keys"]' secrets-manager secret describe asked -x vault

# Mistakes.
fails 'a mistyped flavor' 9 "did you mean 'spark-kubernetes'?" register --flavor spark-kubernets x
fails 'a flavor that several types have' 9 'say which' register --flavor local x
fails 'a flavor of another type' 9 "'stepop artifact-store flavors'" artifact-store register x --flavor=spark-kubernetes
fails 'no flavor' 2 '--flavor is missing' register x
run register --flavor=spark-kubernetes x --mastr=a --start_timeout=soon --submit_kwargs=x
[ $? = 9 ] && [ "$(wc -l <"$folder/err")" = 4 ] && grep -q "did you mean '--master'" "$folder/err" &&
	grep -q 'docker_parent_image: is required' "$folder/err"
say $? 'all faults of a command line at once'
fails 'a literal secret is refused' 9 'secrets manager' artifact-store register x --flavor=s3 --path=s3://b \
	--aws_secret_access_key="$value"
fails 'also within properties' 9 'holds the value of a secret' step-operator update again \
	--submit_kwargs="spark.hadoop.fs.s3a.secret.key=$value"
fails 'a taken name' 6 'stepop artifact-store update s3_store' artifact-store register s3_store --flavor=s3 --path=s3://b/p
fails 'a used component stays' 6 "stack 'spark_stack'" step-operator delete spark_step_operator
fails 'the active stack stays' 6 "'default'" stack delete default
prints 'another goes' 'stack/other deleted' stack delete other
prints 'and then its component' 'step-operator/again deleted' step-operator delete again
sed -i 's/namespace:/namespce:/' .stepop/components/step-operator/spark_step_operator.yaml
fails 'a fault in a file has its place' 9 '.stepop/components/step-operator/spark_step_operator.yaml:6:3: namespce' \
	stack describe spark_stack
gives 'and hides no others from a list' 'len(x) == 2 and "namespce" in x[1]["problem"]' step-operator list

# Arguments vanish from the process list while stepop still waits for standard input.
mkfifo "$folder/fifo"
"$stepop" secrets-manager secret register waiting -x vault --first="$value" --second=- <"$folder/fifo" >/dev/null &
pid=$!
exec 9>"$folder/fifo"
# stepop opens its key only after it has read its arguments; until it blocks on the pipe it is looked at again.
for _ in $(seq 1000); do
	grep -qF hush "/proc/$pid/cmdline" || break
	read -rt 0.01 <> <(:)
done
grep -qF first "/proc/$pid/cmdline" && ! grep -qF hush "/proc/$pid/cmdline"
say $? 'arguments with values vanish from the process list'
echo second >&9
exec 9>&-
wait $pid
say $? 'and the secret is kept'

! grep -rlF -e hush/hush -e $id "$said" .stepop "$HOME" >"$folder/out"
say $? 'no value is in any file or output'
git init -q . 2>/dev/null && git add -A . && ! git ls-files | grep -E 'secrets/|\.key$|lock$' >"$folder/out"
say $? 'git does not take secrets, keys or locks'

finish
