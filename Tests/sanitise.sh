#!/usr/bin/env bash
# The tests of kernels, tensors and packed layers under the address and the undefined-behaviour sanitiser, each a build of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
export ROOMS="Failures,Numbers,Storage,CSystem,Imaging,CKernels,Tensors,TensorsTests"
# Swift's runtime keeps metadata for good: leaks are not looked for.
export ASAN_OPTIONS=detect_leaks=0
run() {
  echo "$1"
  swift test --scratch-path ".build-$1" "${@:2}" --filter 'TensorsTests\.(Kernel|PackedKernel|Attention|Operation|ThreadPool)Tests'
}
run address --sanitize=address
# Swift has no such sanitiser on Linux, and needs none: the C is built with it, and what is undefined traps.
run undefined -Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined
