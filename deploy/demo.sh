#!/usr/bin/env bash
# The main job on the samples: SEG objects and reports in demo-output/.
set -euo pipefail
program=$1
rm -rf demo-output
"$program" run samples/body samples/dermoscopy samples/fluorescence --out demo-output --pipelines pipelines
echo
find demo-output -name '*.seg.dcm' | sort
echo "Report: $PWD/demo-output/index.html"
