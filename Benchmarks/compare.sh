#!/usr/bin/env bash
# Our program and the peer in turn, on this machine in this hour: Benchmarks/compare.sh PROGRAM PYTHON [CASE...]
# PYTHON is one that has PyTorch (Benchmarks/peers/requirements.txt). A case is VIT,WHAT,INPUT_SIZE,BATCH; by default the
# three that the project promises. ROUNDS (default 2) turns of RUNS (default 3) counted runs each; the best of all counts.
set -euo pipefail
if (($# < 2)); then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
fi
program=$(realpath "$1") python=$2
shift 2
cases=("$@")
((${#cases[@]})) || cases=(vit_b,infer,1024,1 vit_t,infer,1024,1 vit_t,train,256,16)
cd "$(dirname "$0")/.."
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
for case in "${cases[@]}"; do
  IFS=, read -r vit what size batch <<<"$case"
  options=(--vit "$vit" --what "$what" --input-size "$size" --batch "$batch" --runs "${RUNS:-3}")
  for ((round = 1; round <= ${ROUNDS:-2}; round++)); do
    "$program" bench "${options[@]}" --json >"$results/$case.ours.$round"
    "$python" Benchmarks/peers/pytorch_peer.py "${options[@]}" >"$results/$case.peer.$round"
  done
done
"$python" Benchmarks/ratios.py "$results" "${cases[@]}"
