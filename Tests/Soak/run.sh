#!/usr/bin/env bash
# The service killed again and again: run.sh PROGRAM [ROUNDS] [SEED]
#
# A batch of studies is worked on undisturbed. The same is then dropped into another spool whose service, or whose worker, is ended
# at moments that a seed gives, by SIGKILL or SIGTERM, until all is done; then it comes again. Afterwards each study has exactly one
# result, byte for byte that of the undisturbed run but for its times, every original is kept, and nothing is left in between.
set -euo pipefail
program=$(realpath "$1") rounds=${2:-100} seed=${3:-1} studies=${STUDIES:-30}
. "$(dirname "$0")/spool.sh"

make_phantoms "$studies" "${SLICES:-3}"
undisturbed
[ "$(grep -c seg.dcm "$root/expected")" -eq "$studies" ] || fail "the undisturbed batch gave too few results"

RANDOM=$seed
site soak
drop soak
declare -A kinds=([service]=0 [worker]=0 [asked]=0)
round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    "$program" watch --config "$root/soak.yaml" > "$root/log" 2>&1 &
    running=$!
    kind=$((RANDOM % 5))
    # A worker of its own is waited for; the service may die before it has even begun.
    if [ "$kind" -eq 0 ]; then
        for _ in $(seq 100); do
            worker=$(pgrep -P "$running" || true)
            [ -z "$worker" ] || break
            sleep 0.1
        done
        sleep "0.$((RANDOM % 1000))"
        [ -z "$worker" ] || kill -KILL "$worker" 2> /dev/null || true
        kinds[worker]=$((kinds[worker] + 1))
        kill -TERM "$running"
    else
        sleep "$((RANDOM % 3)).$((RANDOM % 1000))"
        if [ "$kind" -eq 1 ]; then signal=TERM what=asked; else signal=KILL what=service; fi
        kill -"$signal" "$running" 2> /dev/null || fail "seed $seed, round $round: the service ended by itself: $(tail -n 2 "$root/log")"
        kinds[$what]=$((kinds[$what] + 1))
    fi
    wait "$running" 2> /dev/null || true
    running=
    # When all is done the same studies come again: they are known, and must not be published a second time.
    if [ -z "$(ls "$root/soak/inbox" "$root/soak/work" 2> /dev/null | grep -v : || true)" ]; then drop soak "-$round"; fi
done
settle soak
check soak "seed $seed"
echo "killed: the service ${kinds[service]} times, its worker ${kinds[worker]} times; asked to stop ${kinds[asked]} times (seed $seed)."
echo "$studies studies, each with its one result, byte for byte that of the undisturbed run."
