"""Load one file that timm wrote: zoo.load by the bridge zoo-timm, and timm.create_model, in turn; imports excluded.

The claim is 0.3 or less above 80 M parameters, and never slower below. Runs in the peers' environment
(benchmarks/peers.sh), on an idle machine:

    PYTHONPATH=. /tmp/zoo-peers/bin/python benchmarks/bridge_loading.py [--rounds 7] [--models NAME,NAME]
"""

import argparse
import gc
import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import timm
import torch

import zoo

MODELS = "eva02_tiny_patch14_224,regnety_032,beit_base_patch16_224,convnextv2_base,swin_large_patch4_window7_224"


def seconds(load: Callable[[], Any]) -> float:
    gc.collect()
    start = time.perf_counter()
    load()
    return time.perf_counter() - start


def compared(name: str, folder: Path, rounds: int) -> None:
    model = timm.create_model(name).eval()
    timm.models.save_for_hf(model, folder, safe_serialization=True)
    x = torch.rand(1, *model.pretrained_cfg["input_size"])
    parameters = sum(parameter.numel() for parameter in model.parameters())

    def by_timm() -> Any:
        return timm.create_model(f"local-dir:{folder}", pretrained=True).eval()

    def by_zoo() -> Any:
        return zoo.load(folder)

    with torch.no_grad():
        assert torch.allclose(by_zoo()(x), by_timm()(x), atol=1e-5), name  # and the files are warm
    times = [(seconds(by_zoo), seconds(by_timm)) for _ in range(rounds)]
    ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
    ratio = statistics.median(mine / other for mine, other in times)
    print(f"{name:<36}{parameters / 1e6:>8.1f} M{ours * 1e3:>9.0f} ms{theirs * 1e3:>9.0f} ms{ratio:>7.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--models", default=MODELS)
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable()
    print(f"{'model':<36}{'parameters':>10}{'zoo':>12}{'timm':>12}{'ratio':>7}")
    for name in chosen.models.split(","):
        with tempfile.TemporaryDirectory() as folder:
            compared(name, Path(folder), chosen.rounds)


if __name__ == "__main__":
    main()
