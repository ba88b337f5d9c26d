#!/usr/bin/env bash
# Installs the system packages that building and running need, when root; else prints the command.
set -euo pipefail
packages=(
  libdcmtk-dev libopenjp2-7-dev libtiff-dev libpng-dev libjpeg62-turbo-dev libopenblas-dev libssl-dev zlib1g-dev libsqlite3-dev
)
# For tests only: other projects' readers, and a browser that opens the reports.
[[ "${1:-}" == --tests ]] && packages+=(dcmtk dicom3tools python3-venv chromium)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
done
if ((${#missing[@]})); then
  command="apt-get install -y --no-install-recommends ${missing[*]}"
  if [[ $(id -u) != 0 ]]; then
    echo "Missing system packages. Run: sudo $command" >&2
    exit 2
  fi
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive $command
fi
if ! command -v swift >/dev/null; then
  echo 'No Swift toolchain: install Swift 6.3 from https://www.swift.org/install/linux/ and put it on PATH.' >&2
  exit 2
fi
