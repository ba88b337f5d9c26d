#!/usr/bin/env bash
# Whole corpora dropped in one go: corpora.sh PROGRAM PIPELINES FOLDER...
#
# The service stays alive, every job ends, and every file that was dropped stands afterwards in kept/ or quarantine/, byte for byte.
set -euo pipefail
program=$(realpath "$1") pipelines=$(realpath "$2")
shift 2
. "$(dirname "$0")/spool.sh"
site corpora
sed -i "s|pipelines: [^}]*|pipelines: $pipelines|; s/threads: 1/threads: 0, attempts: 1/" "$root/corpora.yaml"
"$program" watch --config "$root/corpora.yaml" > "$root/log" 2>&1 &
running=$!
number=0
for folder in "$@"; do
    # Each folder below is a drop of its own, and so is each file; equal names of two corpora are two drops.
    for entry in "$folder"/*; do
        number=$((number + 1))
        cp -r --no-preserve=mode "$entry" "$root/corpora/inbox/.$number-$(basename "$entry").making"
    done
done
files=$(find "$root/corpora/inbox" -type f -path '*.making*' | wc -l)
find "$root/corpora/inbox" -path '*.making*' -type f -exec sha256sum {} + | cut -d ' ' -f 1 | sort > "$root/dropped"
for entry in "$root"/corpora/inbox/.*.making; do
    name=${entry##*/.}
    mv "$entry" "$root/corpora/inbox/${name%.making}"
done
begun=$(date +%s)
calm=0
# What cannot be taken stays in the inbox, and is told: the others are done all the same.
while kill -0 "$running" 2> /dev/null && [ "$calm" -lt 30 ]; do
    if { "$program" status --config "$root/corpora.yaml" || true; } | grep -q ' queued 0 .*running 0 '; then calm=$((calm + 1)); else calm=0; fi
    [ -n "$(ls "$root/corpora/inbox")" ] || [ "$calm" -eq 0 ] || break
    sleep 2
done
kill -0 "$running" 2> /dev/null || fail "the service ended by itself: $(tail -n 2 "$root/log")"
memory=$(awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$running/status")
seconds=$(($(date +%s) - begun))
kill -TERM "$running"
wait "$running" || fail "the service ended with $?"
running=
[ -z "$(ls "$root/corpora/inbox")" ] || fail "left in the inbox: $(ls "$root/corpora/inbox" | head -n 3)"
[ -z "$(ls "$root/corpora/work")" ] || fail "work/ is not empty: $("$program" status --config "$root/corpora.yaml")"
find "$root/corpora/kept" "$root/corpora/quarantine" \( -path "*/kept/*" -o -path "*/input*" \) -type f -exec sha256sum {} + | cut -d ' ' -f 1 | sort > "$root/left"
diff "$root/dropped" "$root/left" > "$root/difference" || fail "$(grep -c '^<' "$root/difference") of $files files are not there any more"
"$program" ledger check --config "$root/corpora.yaml" > /dev/null || fail "the ledger is not whole"
echo "$files files in $("$program" jobs --limit 100000 --config "$root/corpora.yaml" | wc -l) drops: all accounted for after $seconds s, service at most $memory MiB."
"$program" jobs --limit 100000 --config "$root/corpora.yaml" | awk '{ print $3, $4 }' | sort | uniq -c | sort -rn
