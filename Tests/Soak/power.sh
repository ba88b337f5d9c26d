#!/usr/bin/env bash
# A power cut after the N-th sync, for every N: power.sh PROGRAM [FIRST] [STEP]
#
# One batch is traced. Then, for each of its syncs, the spool is laid out as a disk holds it that kept nothing but what was synced until
# then (durable.py): contents of files and entries of folders apart. The service is started on that: each study then has its one result, and
# no original is lost. The opposite, a disk that kept everything, is what sweep.sh KILL shows.
set -euo pipefail
program=$(realpath "$1") first=${2:-1} step=${3:-1}
for tool in strace python3; do
    command -v $tool > /dev/null || { echo "Missing: $tool. Run: sudo apt-get install -y $tool" >&2; exit 2; }
done
. "$(dirname "$0")/spool.sh"

make_phantoms "${STUDIES:-1}" 1
undisturbed
site power
drop power
sync
cp -a "$root/power" "$root/before"
calls=open,openat,openat2,creat,write,pwrite64,writev,pwritev,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,link,linkat,symlinkat,copy_file_range,sendfile
strace -f -y -qq -xx -s 100000000 -o "$root/trace" -e trace="$calls" -- "$program" batch --config "$root/power.yaml" > "$root/traced" 2>&1
mv "$root/power" "$root/after"
syncs=$(python3 "$here/durable.py" "$root/trace" "$root/before" "$root/power" --count)
[ "$syncs" -gt 0 ] || fail "no sync was met"
# With everything kept the model is the disk itself: it knows all calls that were made.
python3 "$here/durable.py" "$root/trace" "$root/before" "$root/power" --all
diff -r --exclude='ledger.sqlite-shm' --exclude=heartbeat "$root/after" "$root/power" > "$root/difference" ||
    fail "the model of the disk is not the disk: $(head -n 5 "$root/difference")"
rounds=0
for n in $(seq "$first" "$step" "$syncs"); do
    rm -rf "$root/power"
    python3 "$here/durable.py" "$root/trace" "$root/before" "$root/power" --until "$n"
    settle power
    check power "power cut after sync $n"
    rounds=$((rounds + 1))
done
echo "power cut after a sync: $rounds of $syncs, all well afterwards"
