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
needed_gb=12
source "$(dirname "$0")/environment.sh"

# torchvision's operators are compiled for this very torch
install torch==2.14.1 torchvision==0.29.1
# lightning 2.6.2 and 2.6.3 on PyPI were compromised
install torch==2.14.1 'timm>=1.0.31' 'transformers>=5.24' 'accelerate>=1.0' 'lightning>=2.6.6' safetensors tensorboard \
    -e "$checkout[train]" "${editable[@]}"
# sounds: an oracle of voice activity, and what reads and resamples files
install --no-deps silero-vad soundfile soxr jiwer rapidfuzz cffi pycparser
install torch==2.14.1 pythae || echo "pythae does not install beside the others; its comparison is left out" >&2

finish "accelerate lightning safetensors timm torch torchvision transformers zoo" \
    "torch torchvision timm transformers accelerate lightning pythae safetensors zoo-hub"
