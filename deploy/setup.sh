#!/usr/bin/env bash
# Installs the system packages that building and running need, when root; else prints the command.
# Says when a library that reads other people's files lacks Debian's security fixes.
set -euo pipefail
packages=(
  libdcmtk-dev libopenjp2-7-dev libtiff-dev libpng-dev libjpeg62-turbo-dev libssl-dev zlib1g-dev libdeflate-dev libsqlite3-dev
)
# For tests only: other projects' readers, a browser that opens the reports, MPI, a small cluster, a file system without rename flags.
[[ "${1:-}" == --tests ]] && packages+=(dcmtk dicom3tools orthanc orthanc-dicomweb plastimatch python3-venv chromium curl openssl openmpi-bin
  munge slurmctld slurmd slurm-client bindfs)

# The oldest revision of Debian 12 without a known hole (changelogs in /usr/share/doc, 2026-11-26).
declare -A secure=(
  [libdcmtk17]=3.6.7-9~deb12u4          # CVE-2022-4981 to CVE-2026-12805
  [libopenjp2-7]=2.5.0-2+deb12u3        # CVE-2026-6192
  [libtiff6]=4.5.0-6+deb12u4            # CVE-2026-4775
  [libpng16-16]=1.6.39-2+deb12u6        # CVE-2026-46675
  [libjpeg62-turbo]=1:2.1.5-2
  [libssl3]=3.0.22-1~deb12u2            # CVE-2026-84782
  [zlib1g]=1:1.2.13.dfsg-1
  [libdeflate0]=1.14-1
  [libsqlite3-0]=3.40.1-2+deb12u2       # CVE-2025-6965
)

# Prints the libraries that are installed in an older revision than the table's; nothing on other systems than Debian 12.
insecure() {
  [[ "$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}")" == bookworm ]] || return 0
  local package version
  for package in "${!secure[@]}"; do
    version=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null) || continue
    [[ -z $version ]] || dpkg --compare-versions "$version" ge "${secure[$package]}" || echo "$package"
  done
}

# For the Debian package: what it must not be installed without.
if [[ "${1:-}" == --secure ]]; then
  for package in "${!secure[@]}"; do echo "$package (>= ${secure[$package]})"; done | sort | paste -sd, | sed 's/,/, /g'
  exit
fi

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

mapfile -t old < <(insecure | sort)
if ((${#old[@]})); then
  upgrade="apt-get install -y --only-upgrade ${old[*]}"
  if [[ $(id -u) == 0 ]]; then
    apt-get update -q && DEBIAN_FRONTEND=noninteractive $upgrade || true
    mapfile -t old < <(insecure | sort)
  fi
fi
for package in "${old[@]}"; do
  echo "$package $(dpkg-query -W -f '${Version}' "$package") lacks security fixes: a made-up image may crash the program or take it over. Debian 12 has them in ${secure[$package]}. Run: sudo apt-get update && sudo $upgrade" >&2
done

if ! command -v swift >/dev/null; then
  echo 'No Swift toolchain: install Swift 6.3 from https://www.swift.org/install/linux/ and put it on PATH.' >&2
  exit 2
fi
