#!/bin/sh
# Lets systemd judge our units: their syntax, and how much of the machine they could reach (limit 2.0 of 10).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$here"/*.service "$here"/*.timer "$folder"
# The program need not be installed for the syntax to be right.
sed -i 's|^ExecStart=/usr/bin/[^ ]* |ExecStart=/bin/true |; /^Documentation=/d' "$folder"/*.service "$folder"/*.timer
# As they are with the drop-in of a cluster's coordinator.
for unit in hspsam hspsam-batch; do cat "$folder/$unit.service" "$here/cluster.conf" > "$folder/$unit-cluster.service"; done
complaints=$(systemd-analyze verify --man=no "$folder"/*.service "$folder"/*.timer 2>&1) || true
# Some mistakes, such as an unknown key, are only printed and leave the exit status at 0.
[ -z "$complaints" ] || { echo "$complaints" >&2; exit 1; }
for unit in "$here"/*.service "$folder"/*-cluster.service; do
    systemd-analyze security --offline=true --threshold=20 --no-pager "$unit" > "$folder/exposure" || { cat "$folder/exposure"; exit 1; }
    tail -n 1 "$folder/exposure"
done
