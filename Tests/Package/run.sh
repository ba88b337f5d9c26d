#!/usr/bin/env bash
# The Debian package in a new Debian without Swift: run.sh FOLDER_OF_THE_PACKAGE
#
# Installs it by dpkg, works on one study from inbox to outbox as the service's user, installs it again over an edited site file,
# removes it, purges it. Needs root, debootstrap and Debian's archive; about 500 MB in BASE, which is kept for the next time.
set -euo pipefail
folder=$1 base=${BASE:-.build/deb-base}
package=$(realpath "$folder"/hspsam_*.deb)
for tool in debootstrap unshare chroot; do
    command -v $tool > /dev/null || { echo "Missing: $tool. Run: sudo apt-get install -y --no-install-recommends debootstrap" >&2; exit 2; }
done
[ "$(id -u)" = 0 ] || { echo "a new root needs root: sudo make check-deb" >&2; exit 2; }

if [ ! -e "$base/.whole" ]; then
    rm -rf "$base"
    mkdir -p "$base"
    debootstrap --variant=minbase bookworm "$base" "${MIRROR:-http://deb.debian.org/debian}" > "$base.log" 2>&1 || { tail "$base.log" >&2; exit 1; }
    cat > "$base/etc/apt/sources.list" << LIST
deb ${MIRROR:-http://deb.debian.org/debian} bookworm main
deb ${MIRROR:-http://deb.debian.org/debian} bookworm-updates main
deb ${SECURITY:-http://deb.debian.org/debian-security} bookworm-security main
LIST
    touch "$base/.whole"
fi
root=$(mktemp -d "${TMPDIR:-/tmp}/hspsam-root.XXXXXX")
trap 'rm -rf --one-file-system "$root"' EXIT
cp -a "$base/." "$root"
cp /etc/resolv.conf "$root/etc/resolv.conf" 2> /dev/null || true
cp "$package" "$root/hspsam.deb"

cat > "$root/check" << 'CHECK'
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
fail() { echo "FAILED: $*" >&2; exit 1; }
as() { setpriv --reuid=hspsam --regid=hspsam --init-groups "$@"; }

apt-get update -q > /dev/null
# Only what it depends on comes from the archive; the package itself by dpkg.
dpkg -i /hspsam.deb > /tmp/first 2>&1 || true
apt-get install -y -q --no-install-recommends -f > /tmp/second 2>&1 || { tail -n 20 /tmp/second; fail "its dependencies"; }
dpkg -i /hspsam.deb > /tmp/third 2>&1 || { tail -n 20 /tmp/third; fail "dpkg -i"; }
[ -z "$(find / -xdev -name 'libswift*' -print -quit)" ] || fail "Swift's libraries are here"
! ldd /usr/bin/hspsam | grep -E 'not found|swift' || fail "a library is missing"
echo "installed: $(dpkg-query -W -f '${Package} ${Version}, ${Installed-Size} KiB' hspsam)"

[ "$(id -un hspsam)" = hspsam ] || fail "no user"
[ "$(stat -c '%a %U' /var/spool/hspsam/inbox)" = '2770 hspsam' ] || fail "the inbox is $(stat -c '%a %U' /var/spool/hspsam/inbox)"
[ -e /lib/systemd/system/hspsam.service ] && [ ! -e /etc/systemd/system/multi-user.target.wants/hspsam.service ] || fail "units"
zcat /usr/share/man/man1/hspsam-batch.1.gz | grep -q 'hspsam batch' || fail "no man page"
bash -n /usr/share/bash-completion/completions/hspsam || fail "the completion"

sed -i 's/^reserve: 20GiB /reserve: 1MiB /; s/quiet: 60s /quiet: 1s /; s/scan: 5s /scan: 1s /' /etc/hspsam/hspsam.yaml
hspsam config check
as hspsam phantom body --seed 1 --out /tmp/study
mv /tmp/study /var/spool/hspsam/inbox/
as hspsam batch --config /etc/hspsam/hspsam.yaml
[ "$(find /var/spool/hspsam/outbox -name '*.seg.dcm' | wc -l)" = 1 ] || fail "no segmentation"
as hspsam status --config /etc/hspsam/hspsam.yaml || fail "status ended with $?"
as hspsam doctor || echo "doctor ended with $?"
# The watching service as its unit starts it.
setpriv --reuid=hspsam --regid=hspsam --init-groups hspsam watch > /tmp/log --config /etc/hspsam/hspsam.yaml &
watch=$!
for _ in $(seq 300); do grep -q START /tmp/log && break; sleep 0.2; done
kill "$watch"
wait "$watch" || fail "watch ended with $?"

dpkg -i /hspsam.deb > /tmp/fourth 2>&1 || fail "again"
grep -q '^reserve: 1MiB' /etc/hspsam/hspsam.yaml || fail "the edited site file is gone"
dpkg -r hspsam > /tmp/fifth 2>&1 || { cat /tmp/fifth; fail "dpkg -r"; }
[ ! -e /usr/bin/hspsam ] && [ ! -e /usr/share/hspsam ] && [ ! -e /lib/systemd/system/hspsam.service ] || fail "not removed"
[ -e /etc/hspsam/hspsam.yaml ] && [ -e /var/lib/hspsam/ledger.sqlite ] || fail "removed too much"
dpkg -P hspsam > /tmp/sixth 2>&1 || fail "dpkg -P"
[ ! -e /etc/hspsam ] && [ -n "$(find /var/spool/hspsam/outbox -name '*.seg.dcm')" ] || fail "purged too much or too little"
echo "one study from inbox to outbox, removed, purged: data stays"
CHECK
# /proc only in a view of our own; nothing outside of the root is mounted or changed.
unshare --mount --pid --fork --kill-child sh -c "mount -t proc proc '$root/proc' && chroot '$root' bash /check"
