#!/usr/bin/env bash
# Lets other projects' programs read what the program writes: Tests/Interop/run.sh PROGRAM [PYTEST ARGUMENT...]
# The readers live in .venv, which is made here and made again when requirements.txt changes.
set -euo pipefail
if (($# < 1)) || [[ ! -x "$1" ]]; then
  echo "usage: Tests/Interop/run.sh PROGRAM [PYTEST ARGUMENT...]: PROGRAM is the built hspsam (make build)" >&2
  exit 2
fi
HSPSAM_BIN=$(realpath "$1")
export HSPSAM_BIN
shift
cd "$(dirname "$0")/../.."
requirements=Tests/Interop/requirements.txt
if ! cmp -s "$requirements" .venv/requirements.txt; then
  rm -rf .venv
  python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
  cp "$requirements" .venv/requirements.txt
fi
# dcmqi's programs stand there too.
export PATH="$PWD/.venv/bin:$PATH"
exec .venv/bin/python -m pytest Tests/Interop -c Tests/Interop/pytest.ini "$@"
