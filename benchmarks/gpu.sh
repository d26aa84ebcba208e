#!/usr/bin/env bash
# Zoo against timm, transformers and loops by hand on one GPU, in at most 8 minutes, as JSON.
#
#     benchmarks/gpu.sh [--tiny] [--out FILE] [--parts steps,loading,accuracy,predict] [--minutes 8]
#
# PEERS names an environment of benchmarks/peers.sh (/tmp/zoo-peers); ZOO_DATA a folder with cifar10. With --tiny everything is
# so small that a CPU gets through it: it shows that the script runs, and no figure of it means anything.
set -euo pipefail
top=$(realpath "$(dirname "$0")/..")
peers=${PEERS:-/tmp/zoo-peers}
[ -x "$peers/bin/python" ] || { echo "no $peers/bin/python; make it first: benchmarks/peers.sh . $peers" >&2; exit 1; }
paths=$(printf '%s:' "$top" "$top"/plugins/*/)
exec env PYTHONPATH="${paths%:}" "$peers/bin/python" "$top/benchmarks/gpu" "$@"
