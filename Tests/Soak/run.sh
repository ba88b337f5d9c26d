#!/usr/bin/env bash
# The long test of the unattended service: run.sh PROGRAM [ROUNDS] [SEED]
#
# A batch of phantoms is worked on undisturbed. The same is then dropped into other spools whose service is ended by kill -9 at
# moments that a seed gives, and by SIGTERM, again and again until all is done. Afterwards each study has exactly one result, its
# segmentation byte for byte that of the undisturbed run, nothing is left in work/ or half copied, and the ledger is whole.
set -euo pipefail
program=$(realpath "$1") rounds=${2:-100} seed=${3:-1} studies=${STUDIES:-30}
here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d "${TMPDIR:-/tmp}/hspsam-soak.XXXXXX")
service=
cleanup() {
    [ -z "$service" ] || kill -9 "$service" 2> /dev/null || true
    rm -rf "$root"
}
trap cleanup EXIT
fail() {
    echo "FAILED (seed $seed): $*" >&2
    exit 1
}

site() { # site NAME: a spool of its own
    mkdir -p "$root/$1/inbox"
    printf 'inbox: {scan: 1s}\nsettle: {quiet: 1s}\nreserve: 1MiB\nworker: {threads: 1}\nplaces: {spool: %s, state: %s, pipelines: %s}\n' \
        "$root/$1" "$root/$1/state" "$here/../../pipelines" > "$root/$1.yaml"
}

drop() { # drop NAME: all studies, each whole at once
    for study in "$root"/phantoms/*; do
        cp -r "$study" "$root/$1/inbox/.$(basename "$study")"
        mv "$root/$1/inbox/.$(basename "$study")" "$root/$1/inbox/$(basename "$study")"
    done
}

# What must be the same in each run: every segmentation by its place and its digest.
objects() { (cd "$root/$1/outbox" && find . -name '*.dcm' -type f -exec sha256sum {} + | sort); }

for number in $(seq "$studies"); do
    "$program" phantom body --seed "$number" --out "$root/phantoms/study-$number" > /dev/null
done
site reference
drop reference
"$program" batch --config "$root/reference.yaml" > /dev/null 2>&1 || fail "the undisturbed batch ended with $?"
objects reference > "$root/expected"
[ "$(wc -l < "$root/expected")" -ge "$studies" ] || fail "the undisturbed batch gave too few results"

RANDOM=$seed
site soak
drop soak
kills=0
while [ "$kills" -lt "$rounds" ]; do
    "$program" watch --config "$root/soak.yaml" > /dev/null 2>> "$root/errors" &
    service=$!
    sleep "$((RANDOM % 3)).$((RANDOM % 1000))"
    if [ $((RANDOM % 5)) -eq 0 ]; then signal=TERM; else signal=KILL; fi
    kill -"$signal" "$service" 2> /dev/null || fail "the service ended by itself: $(tail -n 1 "$root/errors")"
    wait "$service" 2> /dev/null || true
    service=
    kills=$((kills + 1))
    # When all is done the same studies come again: they are known, and must not be published a second time.
    if [ -z "$(ls "$root/soak/inbox" "$root/soak/work" | grep -v : || true)" ]; then drop soak; fi
done
status=0
"$program" batch --config "$root/soak.yaml" > "$root/last" 2>&1 || status=$?
[ "$status" -eq 0 ] || fail "the last batch ended with $status: $(tail -n 1 "$root/last")"
objects soak > "$root/found"
diff "$root/expected" "$root/found" > /dev/null || fail "the results are not those of the undisturbed run"
[ -z "$(ls "$root/soak/work")" ] || fail "work/ is not empty"
[ -z "$(find "$root/soak" -name '.partial*' -o -name '*.tmp-*')" ] || fail "something half written is left"
"$program" ledger check --config "$root/soak.yaml" > /dev/null || fail "the ledger is not whole"
"$program" status --config "$root/soak.yaml" > /dev/null || fail "status ended with $?"
echo "$kills ends of the service by signal, $studies studies, each with its one result (seed $seed)"
