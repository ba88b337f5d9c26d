# What the long tests of the unattended service share: sourced with `program` set.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(mktemp -d "${TMPDIR:-/tmp}/hspsam-soak.XXXXXX")
running=
cleanup() {
    [ -z "$running" ] || kill -9 "$running" 2> /dev/null || true
    [ -z "${mounted:-}" ] || umount "$mounted" 2> /dev/null || true
    rm -rf "$root"
}
trap cleanup EXIT
fail() {
    echo "FAILED: $*" >&2
    [ -z "${KEEP:-}" ] || { trap - EXIT; echo "left: $root" >&2; }
    exit 1
}

# Studies of a few slices of a phantom each: what is tested is the service, not the network.
make_phantoms() { # make_phantoms COUNT [SLICES]
    local number slices=${2:-3}
    for number in $(seq "$1"); do
        "$program" phantom body --seed "$number" --out "$root/making" > /dev/null
        mkdir -p "$root/phantoms/study-$number"
        ls "$root/making" | sed -n "16,$((15 + slices))p" | while read -r slice; do
            mv "$root/making/$slice" "$root/phantoms/study-$number/"
        done
        rm -rf "$root/making" "$root/making.truth"
    done
}

# The nightly phantom costs more than the studies of a round: without it, unless SELF_TEST=true.
site() { # site NAME: a spool of its own
    mkdir -p "$root/$1/inbox"
    printf 'inbox: {scan: 1s}\nsettle: {quiet: 1s}\nreserve: 64KiB\nworker: {threads: 1, self_test: %s}\nplaces: {spool: %s, state: %s, pipelines: %s}\n' \
        "${SELF_TEST:-false}" "$root/$1" "$root/$1/state" "$here/../../pipelines" > "$root/$1.yaml"
}

drop() { # drop NAME [SUFFIX]: all studies, each whole at once
    local study
    for study in "$root"/phantoms/*; do
        cp -r "$study" "$root/$1/inbox/.$(basename "$study")${2:-}"
        mv "$root/$1/inbox/.$(basename "$study")${2:-}" "$root/$1/inbox/$(basename "$study")${2:-}"
    done
}

# What failed for a passing cause is tried again at once instead of in some minutes, as long as a batch runs.
hurry() { # hurry NAME PROCESS
    local job
    while kill -0 "$2" 2> /dev/null; do
        for job in $("$program" jobs --config "$root/$1.yaml" --state retry 2> /dev/null | cut -d ' ' -f 1); do
            "$program" retry "$job" --config "$root/$1.yaml" > /dev/null 2>&1 || true
        done
        sleep 0.5
    done
}

# Works until nothing waits.
settle() { # settle NAME
    local file=$root/$1.yaml round status
    for round in $(seq 60); do
        "$program" batch --config "$file" > "$root/last" 2>&1 &
        running=$!
        hurry "$1" "$running"
        status=0
        wait "$running" || status=$?
        running=
        "$program" retry --all-transient --config "$file" > /dev/null 2>&1 || true
        [ -n "$(ls "$root/$1/work")" ] || [ -n "$(ls "$root/$1/inbox")" ] || break
    done
    [ "$status" -eq 0 ] || fail "the last batch ended with $status: $(tail -n 2 "$root/last"; ls "$root/$1/work" "$root/$1/inbox")"
}

# What must be the same in each run: every file of every result by its place and content, times aside.
results() { # results NAME
    (cd "$root/$1/outbox" && find . -type f ! -name index.html ! -name newest-result ! -name SHA256SUMS ! -path './batches/*' | sort | while read -r file; do
        case $file in
            *.json | *.html)
                sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]+Z/TIME/g; s/[0-9.]+ (ms|s)<\/td>/DURATION/g
                    /"seconds/,/}/s/: [0-9.e-]+/: N/' "$file" | sha256sum | sed "s|-|$file|"
                ;;
            *) sha256sum "$file" ;;
        esac
    done)
}

# Each study has exactly one result, that of the undisturbed run; every original is kept; nothing is left anywhere else.
check() { # check NAME WHAT
    results "$1" > "$root/found"
    diff "$root/expected" "$root/found" > "$root/difference" || fail "$2: the results are not those of the undisturbed run: $(head -n 6 "$root/difference")"
    [ -z "$(ls "$root/$1/work")" ] || fail "$2: work/ is not empty"
    [ -z "$(ls "$root/$1/quarantine")" ] || fail "$2: quarantine/ is not empty"
    [ -z "$(find "$root/$1" \( -name '.partial*' -o -name '*.tmp-*' \) | head -n 1)" ] || fail "$2: something half written is left"
    "$program" ledger check --config "$root/$1.yaml" > /dev/null || fail "$2: the ledger is not whole"
    "$program" status --config "$root/$1.yaml" > "$root/status" || fail "$2: status ended with $?: $(cat "$root/status")"
    # By content: every file that was dropped is kept.
    (cd "$root/phantoms" && find . -type f -exec sha256sum {} + | cut -d ' ' -f 1 | sort -u) > "$root/dropped"
    (cd "$root/$1/kept" && find . -type f -exec sha256sum {} + | cut -d ' ' -f 1 | sort -u) > "$root/kept"
    diff "$root/dropped" "$root/kept" > /dev/null || fail "$2: an original is lost"
}

undisturbed() {
    site reference
    drop reference
    "$program" batch --config "$root/reference.yaml" > /dev/null 2>&1 || fail "the undisturbed batch ended with $?"
    results reference > "$root/expected"
    grep -c 'seg.dcm' "$root/expected" > /dev/null || fail "the undisturbed batch gave no result"
}
