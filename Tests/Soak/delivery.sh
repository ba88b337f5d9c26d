#!/usr/bin/env bash
# Delivery to Orthanc on loopback, killed half way and started again: delivery.sh PROGRAM [STUDIES]
#
# Service, sender and archive run as a hospital has them. The archive is killed when part of the objects has arrived, then the sender,
# then both come back. Afterwards every object is in the archive exactly once, found by query, and nothing waits. The same over DICOMweb
# where Debian's plug-in is installed (orthanc-dicomweb).
set -euo pipefail
program=$(realpath "$1") studies=${2:-12}
for tool in Orthanc dcmsend findscu curl; do
    command -v $tool > /dev/null || { echo "Missing: $tool. Run: sudo apt-get install -y --no-install-recommends orthanc dcmtk curl" >&2; exit 2; }
done
. "$(dirname "$0")/spool.sh"
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
dicom=$(port) web=$(port)
plugin=/usr/share/orthanc/plugins/libOrthancDicomWeb.so
archive= service= sender=
stop_all() {
    for process in $archive $service $sender; do kill -9 "$process" 2> /dev/null || true; done
    cleanup
}
trap stop_all EXIT

archive() {
    mkdir -p "$root/orthanc"
    cat > "$root/orthanc.json" << JSON
{"Name": "test", "StorageDirectory": "$root/orthanc", "IndexDirectory": "$root/orthanc", "RemoteAccessAllowed": false,
 "HttpPort": $web, "DicomPort": $dicom, "DicomAet": "ARCHIVE", "DicomCheckCalledAet": true, "AuthenticationEnabled": false,
 "DicomAlwaysAllowFind": true, "DicomModalities": {"us": ["HSPSAM", "127.0.0.1", 104]}, "DicomServerEnabled": true,
 "DicomWeb": {"Enable": true}, "Plugins": [$([ -e $plugin ] && [ "$1" = web ] && echo "\"$plugin\"")]}
JSON
    Orthanc "$root/orthanc.json" > "$root/orthanc.log" 2>&1 &
    archive=$!
    until curl -s "http://127.0.0.1:$web/statistics" > /dev/null; do
        kill -0 "$archive" 2> /dev/null || fail "Orthanc: $(tail -n 3 "$root/orthanc.log")"
        sleep 0.2
    done
}
arrived() { curl -s "http://127.0.0.1:$web/statistics" | sed -n 's/.*"CountInstances" : \([0-9]*\).*/\1/p'; }
sender() { "$program" deliver --config "$root/out.yaml" > "$root/sender.log" 2>&1 & sender=$!; }

half_way() { # half_way KIND DESTINATION
    rm -rf "$root/out" "$root/orthanc"
    site out
    echo "destinations: [$2]" >> "$root/out.yaml"
    # Results count from when a destination is known.
    "$program" batch --config "$root/out.yaml" > /dev/null 2>&1
    drop out
    "$program" watch --config "$root/out.yaml" > "$root/log" 2>&1 &
    service=$!
    archive "$1"
    sender
    until [ "$(arrived)" -ge $((studies / 3)) ]; do sleep 0.2; done
    kill -9 "$archive"; wait "$archive" 2> /dev/null || true
    # Everything is worked on meanwhile; the archive's trouble is told.
    until [ "$(find "$root/out/outbox" -name '*.seg.dcm' | wc -l)" -eq "$studies" ]; do sleep 0.5; done
    until "$program" status --config "$root/out.yaml" 2> /dev/null | grep -q 'archive .*trouble'; do sleep 0.5; done
    kill -9 "$sender"; wait "$sender" 2> /dev/null || true
    sender
    archive "$1"
    until "$program" deliver --status --config "$root/out.yaml" | grep -q '^nothing waits'; do sleep 0.5; done
    kill "$sender" "$service"
    wait "$sender" "$service" || fail "$1: service or sender ended with $?"
    # Every object, by its own UID, once.
    find "$root/out/outbox" -name '*.dcm' -exec dcmdump -q +P 0008,0018 {} + | sed -n 's/.*\[\(.*\)\].*/\1/p' | sort > "$root/sent"
    curl -s "http://127.0.0.1:$web/instances?expand" | sed -n 's/.*"SOPInstanceUID" : "\(.*\)",*/\1/p' | sort > "$root/there"
    diff "$root/sent" "$root/there" > /dev/null || fail "$1: sent and stored differ"
    [ "$(find "$root/out/outbox" -name '*.seg.dcm' | wc -l)" -eq "$studies" ] || fail "$1: not a segmentation of each study"
    "$program" status --config "$root/out.yaml" > "$root/status" || fail "$1: status: $(cat "$root/status")"
    kill "$archive"; wait "$archive" 2> /dev/null || true
    archive= service= sender=
    echo "$1: $(wc -l < "$root/there") objects of $studies studies in Orthanc, each once, each found by query; archive and sender were killed half way."
}

make_phantoms "$studies" 2
half_way dicom "{name: archive, kind: dicom, aet: ARCHIVE, host: 127.0.0.1, port: $dicom, confirm: query, backoff: {first: 1s, max: 2s}}"
[ -e $plugin ] || { echo "web: not tried, orthanc-dicomweb is not installed"; exit 0; }
half_way web "{name: archive, kind: dicomweb, url: \"http://127.0.0.1:$web/dicom-web\", confirm: query, backoff: {first: 1s, max: 2s}}"
