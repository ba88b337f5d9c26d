#!/usr/bin/env bash
# The tests of kernels, tensors and packed layers under the address and the undefined-behaviour sanitiser, each a build of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
export ROOMS="Failures,Numbers,Storage,CSystem,Imaging,CKernels,Tensors,TensorsTests"
# Swift's runtime keeps metadata for good: leaks are not looked for.
export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
for sanitiser in address undefined; do
  echo "$sanitiser"
  swift test --scratch-path ".build-$sanitiser" --sanitize="$sanitiser" --filter 'TensorsTests\.(Kernel|PackedKernel|Operation)Tests'
done
