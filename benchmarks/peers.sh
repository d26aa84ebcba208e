#!/usr/bin/env bash
# Make the environment of the libraries that Zoo is measured against, with Zoo itself in it, outside the repository.
#
#     benchmarks/peers.sh [CHECKOUT] [FOLDER]      # CHECKOUT: this repository; FOLDER: /tmp/zoo-peers
#
# CHECKOUT and its plugins go in editable. Run it again after a plugin was added; what is there already stays.
# FOLDER/ready appears when every peer imports; it holds their versions. Takes about 8 GB and, from a near mirror, minutes.
set -euo pipefail

checkout=$(realpath "${1:-$(dirname "$0")/..}")
folder=${2:-/tmp/zoo-peers}
python=${PYTHON:-python3.11}
needed_gb=12

if [ ! -x "$folder/bin/python" ]; then
    free_gb=$(($(df --output=avail -k "$(dirname "$folder")" | tail -1) / 1000000))
    if [ "$free_gb" -lt "$needed_gb" ]; then
        echo "peers need $needed_gb GB free for $folder, there are $free_gb; name another: $0 CHECKOUT FOLDER" >&2
        exit 7
    fi
    "$python" -m venv "$folder"
fi
rm -f "$folder/ready"

install() {
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir "$@"
}

# torchvision's operators are compiled for this very torch
install torch==2.14.1 torchvision==0.29.1
editable=(-e "$checkout[train]")
for plugin in "$checkout"/plugins/*/pyproject.toml; do
    editable+=(-e "$(dirname "$plugin")")
done
# lightning 2.6.2 and 2.6.3 on PyPI were compromised
install torch==2.14.1 'timm>=1.0.31' 'transformers>=5.24' 'accelerate>=1.0' 'lightning>=2.6.6' safetensors tensorboard \
    "${editable[@]}"
# sounds: an oracle of voice activity, and what reads and resamples files
install --no-deps silero-vad soundfile soxr jiwer rapidfuzz cffi pycparser
install torch==2.14.1 pythae || echo "pythae does not install beside the others; its comparison is left out" >&2

"$folder/bin/python" - >"$folder/ready.part" <<'PYTHON'
import importlib.metadata

import accelerate, lightning, safetensors, timm, torch, torchvision, transformers, zoo  # noqa: E401, F401

for name in "torch torchvision timm transformers accelerate lightning pythae safetensors zoo-hub".split():
    try:
        print(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        print(name, "absent")
PYTHON
mv "$folder/ready.part" "$folder/ready"
cat "$folder/ready"
