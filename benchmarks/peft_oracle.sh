#!/usr/bin/env bash
# Make the environment of PEFT, with Zoo itself in it, outside the repository.
#
#     benchmarks/peft_oracle.sh [CHECKOUT] [FOLDER] [PEERS]    # this repository; /tmp/oracle-peft; /tmp/zoo-peers
#
# torch, transformers, timm and accelerate are those of PEERS, which benchmarks/peers.sh makes; CHECKOUT and its plugins
# go in editable. FOLDER/ready appears when everything imports; it holds the versions. Takes less than 0.1 GB.
set -euo pipefail

checkout=$(realpath "${1:-$(dirname "$0")/..}")
folder=${2:-/tmp/oracle-peft}
peers=${3:-/tmp/zoo-peers}
needed_gb=1
if [ ! -e "$peers/ready" ]; then
    echo "no $peers/ready; make that environment first: benchmarks/peers.sh $checkout $peers" >&2
    exit 3
fi
source "$(dirname "$0")/environment.sh"

packages=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
lent=$("$peers/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
# a name behind those of the editable installs: this checkout comes before the one that the peers have
echo "import site; site.addsitedir('$lent')" >"$packages/zz_peers.pth"
install --no-deps 'peft==0.21.2'
install --no-deps --no-build-isolation -e "$checkout" "${editable[@]}"

finish "peft transformers timm torch zoo zoo_peft" "peft transformers timm accelerate torch"
