#!/bin/sh
# `make install`: install-files.sh PROGRAM DESTDIR PREFIX SYSCONFDIR UNITDIR
#
# What it puts is listed in PREFIX/share/hspsam/installed, for `make uninstall`.
set -eu
program=$1 dest=$2 prefix=$3 etc=$4 units=$5
here=$(cd "$(dirname "$0")" && pwd)
list=$dest$prefix/share/hspsam/installed

[ -f "$program" ] && [ -x "$program" ] || { echo "nothing to install: run make static first" >&2; exit 2; }
if ldd "$program" | grep -q libswift; then
    echo "$program needs Swift's libraries, which stand in the toolchain's folder: run make static first" >&2
    exit 2
fi

mkdir -p "${list%/*}"
: > "$list.new"
put() { # put MODE SOURCE TARGET
    install -D -m "$1" "$2" "$dest$3"
    printf '%s\n' "$3" >> "$list.new"
}
# The units and the site file name the program, the pipelines and the pages where they really are.
place() { # place SOURCE TARGET
    mkdir -p "$(dirname "$dest$2")"
    sed "s|/usr/bin/hspsam|$prefix/bin/hspsam|g; s|/usr/share/|$prefix/share/|g; s|/etc/hspsam|$etc/hspsam|" "$1" > "$dest$2"
    chmod 0644 "$dest$2"
    printf '%s\n' "$2" >> "$list.new"
}

put 0755 "$program" "$prefix/bin/hspsam"
for pipeline in "$here"/../pipelines/*/pipeline.yaml; do
    folder=${pipeline%/*}
    find "$folder" -type f | while IFS= read -r file; do
        put 0644 "$file" "$prefix/share/hspsam/pipelines/$(basename "$folder")${file#"$folder"}"
    done
done
for page in "$here"/../docs/*.md; do put 0644 "$page" "$prefix/share/doc/hspsam/$(basename "$page")"; done
for unit in "$here"/systemd/hspsam*.service "$here"/systemd/hspsam*.timer; do place "$unit" "$units/$(basename "$unit")"; done
put 0644 "$here/systemd/cluster.conf" "$prefix/share/hspsam/systemd/cluster.conf"
put 0644 "$here/systemd/sysusers.conf" "$prefix/lib/sysusers.d/hspsam.conf"
put 0644 "$here/systemd/tmpfiles.conf" "$prefix/lib/tmpfiles.d/hspsam.conf"

# A site file that somebody has edited stays, and stays when the program goes.
if [ ! -e "$dest$etc/hspsam/hspsam.yaml" ]; then
    mkdir -p "$dest$etc/hspsam"
    sed "s|/usr/share/|$prefix/share/|" "$here/hspsam.yaml" > "$dest$etc/hspsam/hspsam.yaml"
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$here/man-pages.sh" "$program" "$scratch/man"
for page in "$scratch"/man/*; do put 0644 "$page" "$prefix/share/man/man1/$(basename "$page")"; done
for shell in bash zsh fish; do "$program" --generate-completion-script $shell > "$scratch/$shell"; done
# It is read, never run.
sed -i '1{/^#!/d}' "$scratch/bash"
put 0644 "$scratch/bash" "$prefix/share/bash-completion/completions/hspsam"
put 0644 "$scratch/zsh" "$prefix/share/zsh/vendor-completions/_hspsam"
put 0644 "$scratch/fish" "$prefix/share/fish/vendor_completions.d/hspsam.fish"

# What an older version had put and this one has not.
if [ -e "$list" ]; then
    grep -Fxv -f "$list.new" "$list" | while IFS= read -r old; do rm -f "$dest$old"; done
fi
mv "$list.new" "$list"
