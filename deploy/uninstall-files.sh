#!/bin/sh
# `make uninstall`: removes what `make install` has listed: uninstall-files.sh DESTDIR PREFIX
#
# The site file, and the studies, results and ledger of the service, stay.
set -eu
dest=$1 prefix=$2
list=$dest$prefix/share/hspsam/installed
[ -e "$list" ] || { echo "nothing is installed under $dest$prefix" >&2; exit 2; }
while IFS= read -r path; do
    rm -f "$dest$path"
    # Folders that only we had something in; one that holds anything else, or that a system has by itself, stays.
    folder=${path%/*}
    while [ "$folder" != "${folder#*hspsam}" ]; do
        rmdir "$dest$folder" 2> /dev/null || break
        folder=${folder%/*}
    done
done < "$list"
rm -f "$list"
rmdir "${list%/*}/pipelines" "${list%/*}/systemd" "${list%/*}" 2> /dev/null || true
