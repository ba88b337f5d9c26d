#!/bin/bash
# Runs the fuzzer: TARGET (a name, or all) for SECONDS each, with the seeds of the tree. Needs clang's libFuzzer, which comes with Swift.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${SECONDS_EACH:-60} target=${TARGET:-all} runs=${RUNS:--1}
runtime=$(dirname "$(readlink -f "$(command -v swiftc)")")/../lib/clang
library=$(find "$runtime"/ -name 'libclang_rt.fuzzer_no_main-x86_64.a' | head -n 1)
[ -n "$library" ] || { echo "no libFuzzer beside swiftc: install a whole Swift toolchain" >&2; exit 2; }
HSPSAM_FUZZ=$library swift build -c release --scratch-path .build-fuzz --product Fuzz
program=.build-fuzz/release/Fuzz
export LSAN_OPTIONS=suppressions=Tests/Fuzz/leaks.supp
# A trap is libFuzzer's to report; Swift's own report would hang in a process full of sanitiser memory.
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1} UBSAN_OPTIONS=print_stacktrace=1
[ "$target" = all ] && names=$($program) || names=$target
for name in $names; do
    mkdir -p ".build-fuzz/corpus/$name" ".build-fuzz/found/$name"
    echo "== $name"
    $program "$name" ".build-fuzz/corpus/$name" "Tests/Fuzz/Seeds/$name" -max_total_time="$seconds" -runs="$runs" \
        -timeout=60 -rss_limit_mb=3000 -malloc_limit_mb=2500 -max_len=8192 -print_final_stats=1 \
        -artifact_prefix=".build-fuzz/found/$name/" 2>&1 | tee ".build-fuzz/$name.log" | grep -E '^(==|stat|Done|SUMMARY|.*ERROR)' || true
    ls ".build-fuzz/found/$name" | sed 's/^/found: /'
done
[ -z "$(find .build-fuzz/found -type f 2>/dev/null)" ] || { echo "inputs with findings: .build-fuzz/found" >&2; exit 1; }
