#!/usr/bin/env bash
# Many studies at once: load.sh PROGRAM [COUNT]
#
# COUNT studies of one slice are dropped in one moment; meanwhile one study comes file by file over a minute, and one by DICOM into the
# receiver. Each must have exactly one result of all its images, and the service's memory must stay where it was.
set -euo pipefail
program=$(realpath "$1") count=${2:-2000}
for tool in dcmodify storescp storescu; do
    command -v $tool > /dev/null || { echo "Missing: $tool. Run: sudo apt-get install -y --no-install-recommends dcmtk" >&2; exit 2; }
done
. "$(dirname "$0")/spool.sh"
receiver=
trap '[ -z "$receiver" ] || kill -9 "$receiver" 2> /dev/null || true; cleanup' EXIT

make_phantoms 1 1
slice=$(find "$root/phantoms" -name '*.dcm')
mkdir "$root/all"
for number in $(seq "$count"); do cp "$slice" "$root/all/$number.dcm"; done
# New UIDs for each file.
find "$root/all" -name '*.dcm' -print0 | xargs -0 dcmodify -q -nb -gst -gse -gin
for number in $(seq "$count"); do mkdir "$root/all/$number"; mv "$root/all/$number.dcm" "$root/all/$number/"; done
"$program" phantom body --seed 900001 --out "$root/slow" > /dev/null
"$program" phantom body --seed 900002 --out "$root/sent" > /dev/null

site load
sed -i 's/settle: {quiet: 1s}/settle: {quiet: 10s}/' "$root/load.yaml"
"$program" watch --config "$root/load.yaml" > "$root/log" 2>&1 &
running=$!
mkdir -p "$root/receive"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
storescp -q -aet HSPSAM +B -pm --fork +uf -fe .part -od "$root/receive" \
    -xs -xcr "$program receive #p #f --inbox $root/load/inbox" "$port" &
receiver=$!
until grep -q START "$root/log"; do sleep 0.2; done
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$running/status"; }

begun=$(date +%s)
mv "$root"/all/* "$root/load/inbox/"
mkdir "$root/load/inbox/slow"
(
    pause=$(awk -v n="$(ls "$root/slow" | wc -l)" 'BEGIN { print 60 / n }')
    for file in "$root"/slow/*; do cp "$file" "$root/load/inbox/slow/"; sleep "$pause"; done
) &
until storescu -q -aec HSPSAM +sd 127.0.0.1 "$port" "$root/sent" 2> /dev/null; do sleep 0.5; done

first= most=0 samples=0
done_so_far() { find "$root/load/outbox" -mindepth 3 -name '*.seg.dcm' | wc -l; }
while results=$(done_so_far) && [ "$results" -lt $((count + 2)) ]; do
    kill -0 "$running" 2> /dev/null || fail "the service ended by itself: $(tail -n 2 "$root/log")"
    now=$(memory)
    # After a tenth of the work everything that it needs once is there.
    [ -n "$first" ] || [ "$results" -lt $((count / 10)) ] || first=$now
    [ "$now" -le "$most" ] || most=$now
    samples=$((samples + 1))
    [ $((samples % 30)) -ne 0 ] || echo "$results results after $(($(date +%s) - begun)) s, $((now / 1024)) MiB" >&2
    sleep 2
done
seconds=$(($(date +%s) - begun)) last=$(memory)
# Whatever else comes out would be one too many.
until "$program" status --config "$root/load.yaml" | grep -q 'queued 0 .*running 0 '; do sleep 1; done
[ -z "$(ls "$root/load/inbox")" ] || fail "the inbox is not empty"
kill -TERM "$running"
wait "$running" || fail "the service ended with $?"
running=
[ "$(done_so_far)" -eq $((count + 2)) ] || fail "$(done_so_far) results"
[ -z "$(ls "$root/load/work")$(ls "$root/load/quarantine")" ] || fail "work/ or quarantine/ is not empty"
"$program" ledger check --config "$root/load.yaml" > /dev/null || fail "the ledger is not whole"
"$program" status --config "$root/load.yaml" > "$root/status" || fail "status ended with $?: $(cat "$root/status")"
[ "$(find "$root/load/kept" -type f | wc -l)" -eq $((count + $(ls "$root/slow" | wc -l) + $(ls "$root/sent" | wc -l))) ] || fail "originals are missing"
[ "$last" -le $((first * 13 / 10 + 8192)) ] || fail "memory grew from $first to $last KiB"
echo "$count studies at once, one file by file, one by DICOM: each once, in $seconds s ($((count * 60 / seconds)) a minute); the service held $((first / 1024)) MiB after a tenth, $((last / 1024)) at the end, $((most / 1024)) at most."
