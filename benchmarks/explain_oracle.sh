#!/usr/bin/env bash
# Make the environment of grad-cam and Quantus, beside the peers of benchmarks/peers.sh, outside the repository.
#
#     benchmarks/explain_oracle.sh [CHECKOUT] [FOLDER] [PEERS]    # FOLDER: /tmp/oracle-explain; PEERS: /tmp/zoo-peers
#
# It sees the packages of PEERS and changes nothing there. Takes about 600 MB.
set -euo pipefail

checkout=$(realpath "${1:-$(dirname "$0")/..}")
folder=${2:-/tmp/oracle-explain}
peers=${3:-/tmp/zoo-peers}
python=${PYTHON:-python3.11}

[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
packages=lib/python3.11/site-packages
echo "$peers/$packages" >"$folder/$packages/peers.pth"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-deps \
    grad-cam==1.5.7 ttach opencv-python-headless quantus==0.6.0 captum==0.9.0 cleanlab==2.9.0 termcolor scikit-learn \
    scipy narwhals threadpoolctl pandas python-dateutil scikit-image lazy_loader tifffile pywavelets
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -e "$checkout/plugins/explain"
"$folder/bin/python" -W ignore -c 'import pytorch_grad_cam, quantus; print("quantus", quantus.__version__)'
