#!/usr/bin/env bash
# Segmentations of 300 slices of 512 × 512 with 4 segments, ours and highdicom's in turn, and the report of such a study in a browser:
# Benchmarks/objects.sh PROGRAM [FOLDER]
# Needs the readers of Tests/Interop (run.sh makes .venv) and the recorded references (HSPSAM_SHARED, default ../shared). FOLDER (else a
# temporary one) keeps what was written. RUNS (default 3) counted runs each; ours is composed, written and verified, theirs composed and written.
# PAGE=no leaves the browser out.
set -euo pipefail
if (($# < 1)) || [[ ! -x "$1" ]]; then
  sed -n '2,6s/^# //p' "$0" >&2
  exit 2
fi
program=$(realpath "$1")
folder=${2:-}
if [[ -z $folder ]]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
fi
mkdir -p "$folder"
folder=$(realpath "$folder")
cd "$(dirname "$0")/.."
"$program" bench --what objects --out "$folder" --runs "${RUNS:-3}" --json | tee "$folder/ours.json"
.venv/bin/python Benchmarks/peers/highdicom_peer.py "$folder" "${RUNS:-3}"
[[ ${PAGE:-yes} == yes ]] || exit 0
HSPSAM_BIN="$program" PYTHONPATH=Tests/Interop .venv/bin/python Benchmarks/peers/page.py "$folder" "${HSPSAM_SHARED:-../shared}"
