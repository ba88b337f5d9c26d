#!/usr/bin/env bash
# The Debian package of a built program: build-deb.sh PROGRAM OUT
set -euo pipefail
program=$(realpath "$1") out=$2
source=$(cd "$(dirname "$0")/.." && pwd)
for tool in dpkg-buildpackage dh lintian; do
    command -v $tool > /dev/null || { echo "Missing: $tool. Run: sudo apt-get install -y --no-install-recommends build-essential debhelper lintian" >&2; exit 2; }
done
version=$("$program" --version)
stated=$(sed -n '1s/^hspsam (\(.*\)) .*/\1/p' "$source/deploy/debian/changelog")
[ "$stated" = "$version" ] || { echo "deploy/debian/changelog says $stated, the program $version" >&2; exit 1; }
rm -rf "$out"
mkdir -p "$out/hspsam-$version"
cp -R "$source/deploy/debian" "$out/hspsam-$version/debian"
(cd "$out/hspsam-$version" && SOURCE=$source PROGRAM=$program dpkg-buildpackage -b -us -uc > ../build.log 2>&1) || { tail -n 40 "$out/build.log" >&2; exit 1; }
lintian --fail-on error,warning --tag-display-limit 0 "$out"/*.changes
ls "$out"/*.deb
