#!/usr/bin/env bash
# Inference, ours and OpenVINO's in each precision in turn: Benchmarks/engines.sh PROGRAM PYTHON [VIT [PRECISION...]]
# PYTHON is one that has Benchmarks/peers/requirements.txt. ROUNDS (default 2) turns of RUNS (default 3) counted runs each; the
# best of all counts. The exported models are kept in HSPSAM_PEERS (default /tmp/hspsam-peers).
set -euo pipefail
if (($# < 2)); then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
fi
program=$(realpath "$1") python=$2 vit=${3:-vit_b}
shift $(($# < 3 ? $# : 3))
precisions=("$@")
((${#precisions[@]})) || precisions=(fp32 bf16 int8)
cd "$(dirname "$0")/.."
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
cases=()
for precision in "${precisions[@]}"; do
  case=$vit,infer,1024,1,$precision
  cases+=("$case")
  options=(--vit "$vit" --precision "$precision" --input-size 1024 --runs "${RUNS:-3}")
  for ((round = 1; round <= ${ROUNDS:-2}; round++)); do
    "$program" bench "${options[@]}" --json >"$results/$case.ours.$round"
    "$python" Benchmarks/peers/engines_peer.py "${options[@]}" --cache "${HSPSAM_PEERS:-/tmp/hspsam-peers}" \
      >"$results/$case.peer.$round" 2>/dev/null
  done
done
"$python" Benchmarks/ratios.py "$results" "${cases[@]}"
