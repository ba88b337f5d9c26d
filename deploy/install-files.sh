#!/bin/sh
# What `make install` puts beside the program: install-files.sh DESTDIR PREFIX SYSCONFDIR UNIT...
set -eu
dest=$1 prefix=$2 etc=$3
shift 3
here=$(cd "$(dirname "$0")" && pwd)
root=$dest$prefix

for pipeline in "$here"/../pipelines/*/; do
    [ -d "$pipeline" ] || continue
    target=$root/share/hspsam/pipelines/$(basename "$pipeline")
    mkdir -p "$target"
    cp -R "$pipeline." "$target"
done
mkdir -p "$root/share/doc/hspsam"
cp "$here"/../docs/*.md "$root/share/doc/hspsam"

# The units name the program, the pipelines and the pages where they really are.
for unit in "$@"; do
    mkdir -p "$root/lib/systemd/system"
    sed "s|/usr/bin/hspsam|$prefix/bin/hspsam|; s|/usr/share/|$prefix/share/|g; s|/etc/hspsam|$etc/hspsam|" "$here/systemd/$unit" > "$root/lib/systemd/system/$unit"
done
install -D -m 0755 "$here/receive" "$root/share/hspsam/receive"
install -D -m 0644 "$here/systemd/sysusers.conf" "$root/lib/sysusers.d/hspsam.conf"
install -D -m 0644 "$here/systemd/tmpfiles.conf" "$root/lib/tmpfiles.d/hspsam.conf"

# A site file that somebody has edited stays.
if [ ! -e "$dest$etc/hspsam/hspsam.yaml" ]; then
    mkdir -p "$dest$etc/hspsam"
    sed "s|/usr/share/|$prefix/share/|" "$here/hspsam.yaml" > "$dest$etc/hspsam/hspsam.yaml"
fi
