#!/usr/bin/env bash
# One fault at the N-th system call, for N after N: sweep.sh PROGRAM FAULT CALLS [FIRST] [STEP] [MOST]
#
# FAULT is KILL or TERM (the process that makes the call gets the signal) or an error such as ENOSPC, EIO, EMFILE (the call fails).
# CALLS are names for strace, such as renameat2,fsync; each thread and each worker counts by itself. After each fault the service is
# started once more, undisturbed: each study then has its one result. Ends when a run makes no N-th call.
set -euo pipefail
program=$(realpath "$1") fault=$2 calls=$3 first=${4:-1} step=${5:-1} most=${6:-100000}
command -v strace > /dev/null || { echo "Missing: strace. Run: sudo apt-get install -y strace" >&2; exit 2; }
. "$(dirname "$0")/spool.sh"
case $fault in KILL | TERM) inject=signal=$fault ;; *) inject=error=$fault ;; esac
# Fewer threads that wait side by side: the N-th call is then nearly always the same one.
export LIBDISPATCH_COOPERATIVE_POOL_STRICT=1

make_phantoms "${STUDIES:-1}" 1
undisturbed
n=$first rounds=0
declare -A ends=()
while [ "$rounds" -lt "$most" ]; do
    rm -rf "$root/sweep" "$root/sweep.yaml"
    site sweep
    drop sweep
    status=0
    # A service that hangs is as bad as one that loses something.
    timeout -k 5 "${PATIENCE:-50}" strace -f -qq -o "$root/trace" -e trace="$calls" -e inject="$calls:$inject:when=$n" -- \
        "$program" batch --config "$root/sweep.yaml" > "$root/faulty" 2>&1 &
    running=$!
    hurry sweep "$running"
    wait "$running" || status=$?
    running=
    [ "$status" -ne 124 ] || fail "$fault at $calls $n: it hung: $(tail -n 3 "$root/faulty")"
    grep -qE 'INJECTED|--- SIG(KILL|TERM)|killed by SIGKILL' "$root/trace" || break
    # What a killed tracer leaves.
    [ "$status" -lt 132 ] || [ "$status" -eq 137 ] || [ "$status" -eq 143 ] || fail "$fault at $calls $n: it crashed with $status: $(tail -n 3 "$root/faulty")"
    ends[$status]=$((${ends[$status]:-0} + 1))
    settle sweep
    check sweep "$fault at $calls $n"
    rounds=$((rounds + 1))
    n=$((n + step))
done
[ "$rounds" -gt 0 ] || fail "no call was met: $calls"
echo "$fault at $calls: $rounds calls from $first by $step, all well afterwards; the disturbed runs ended with$(for s in "${!ends[@]}"; do printf ' %s (%s times)' "$s" "${ends[$s]}"; done)"
