#!/usr/bin/env bash
# Disks that are full, folders that are read-only, ledgers that are damaged: faults.sh PROGRAM
#
# Each study is dropped before the fault, worked on in it, and must have its one result after it. Needs root for its mounts, which
# only this process sees.
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "mounts need root: sudo $0 $*" >&2; exit 2; }
[ -n "${INSIDE:-}" ] || exec env INSIDE=1 unshare --mount --propagation private "$0" "$@"
program=$(realpath "$1")
. "$(dirname "$0")/spool.sh"
make_phantoms "${STUDIES:-2}" 1
undisturbed
# A batch in trouble rests a minute by itself; this one is asked to stop when it says that it waits.
disturbed() { # disturbed NAME: its exit status, whatever it is
    timeout -s TERM -k 90 "${PATIENCE:-25}" "$program" batch --config "$root/$1.yaml" > "$root/faulty" 2>&1 || true
}

for left in 0 40 100 200 400 800 1600; do
    name=full-$left
    mkdir -p "$root/$name"
    mount -t tmpfs -o size=24m tmpfs "$root/$name"
    mounted=$root/$name
    site "$name"
    # The ledger has a disk of its own: what is full is the spool.
    sed -i "s|state: [^,]*|state: $root/state-$name|; s/reserve: 64KiB/reserve: 1B/" "$root/$name.yaml"
    # A quiet night, whose page says that all is well.
    "$program" batch --config "$root/$name.yaml" > /dev/null
    drop "$name"
    head -c $(($(stat -f -c '%a * %S' "$mounted" | bc) - left * 1024)) /dev/zero > "$mounted/ballast" 2> /dev/null || true
    disturbed "$name"
    if [ "$left" -eq 0 ] && grep -qs '<title>All is well' "$mounted/outbox/index.html"; then
        fail "the page says that all is well while the disk is full"
    fi
    rm "$mounted/ballast"
    settle "$name"
    check "$name" "a spool with $left KiB left"
    umount "$mounted"
    mounted=
done
echo "a full spool, with 0 to 1600 KiB left: all well once there is room"

for left in 0 20 60 150; do
    name=ledger-$left
    site "$name"
    mkdir -p "$root/$name/state"
    mount -t tmpfs -o size=4m tmpfs "$root/$name/state"
    mounted=$root/$name/state
    drop "$name"
    # The ledger is made first: a service that never had one cannot begin.
    "$program" jobs --config "$root/$name.yaml" > /dev/null 2>&1 || true
    [ "$left" -eq 0 ] || timeout -s TERM 20 "$program" watch --config "$root/$name.yaml" > /dev/null 2>&1 &
    running=$!
    sleep 1
    head -c $(($(stat -f -c '%a * %S' "$mounted" | bc) - left * 1024)) /dev/zero > "$mounted/ballast" 2> /dev/null || true
    wait "$running" || true
    running=
    disturbed "$name"
    rm "$mounted/ballast"
    settle "$name"
    check "$name" "a ledger's disk with $left KiB left"
    umount "$mounted"
    mounted=
done
echo "a full disk under the ledger, with 0 to 150 KiB left: all well once there is room"

for place in outbox kept quarantine work; do
    name=read-only-$place
    site "$name"
    mkdir -p "$root/$name/$place"
    mount --bind "$root/$name/$place" "$root/$name/$place"
    mounted=$root/$name/$place
    mount -o remount,ro,bind "$mounted"
    drop "$name"
    disturbed "$name"
    mount -o remount,rw,bind "$mounted"
    # A mount of its own is another file system: what was moved into it before by rename is copied, or waits, until it is gone.
    umount "$mounted"
    mounted=
    settle "$name"
    check "$name" "$place read-only"
done
echo "outbox, kept, quarantine, work read-only: all well once they are not"

for damage in head middle truncated gone; do
    name=damaged-$damage
    site "$name"
    drop "$name"
    timeout -s KILL 6 "$program" watch --config "$root/$name.yaml" > /dev/null 2>&1 || true
    ledger=$root/$name/state/ledger.sqlite
    case $damage in
        head) head -c 200 /dev/urandom | dd of="$ledger" conv=notrunc status=none ;;
        middle) head -c 20000 /dev/urandom | dd of="$ledger" bs=1 seek=8192 conv=notrunc status=none ;;
        truncated) truncate -s 5000 "$ledger" ;;
        gone) rm -f "$ledger" ;;
    esac
    [ "$damage" = truncated ] || rm -f "$ledger-wal" "$ledger-shm"
    "$program" ledger rebuild --config "$root/$name.yaml" > "$root/faulty" 2>&1 || fail "$damage: rebuild ended with $?: $(cat "$root/faulty")"
    drop "$name" -again
    settle "$name"
    check "$name" "a ledger that is $damage"
done
echo "a ledger with a torn head, torn middle, truncated, gone: rebuilt, nothing published twice, nothing lost"
