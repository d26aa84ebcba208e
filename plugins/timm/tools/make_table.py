"""Write zoo_timm/table.json.gz from what `measure.py` found, timm's own lists of weights, and timm's results files.

    python plugins/timm/tools/make_table.py ROWS.jsonl RESULTS DATE

RESULTS is the folder `results` of timm's repository, DATE the day of the last commit that changed its scores.
"""

import csv
import gzip
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import timm
from timm.models import get_pretrained_cfg

OUT = Path(__file__).parents[1] / "zoo_timm" / "table.json.gz"
BENCHMARKS = (
    "benchmark-infer-amp-nchw-pt291-cu128-4090.csv",
    "benchmark-infer-amp-nchw-pt240-cu124-rtx4090.csv",
    "benchmark-infer-amp-nchw-pt210-cu121-rtx3090.csv",
    "benchmark-infer-amp-nchw-pt113-cu117-rtx3090.csv",
)
"""Those that say how many multiply-adds timm counted, newest first."""
DATA = {
    "in1k": "imagenet-1k",
    "in12k": "imagenet-12k",
    "in21k": "imagenet-21k",
    "in22k": "imagenet-22k",
    "inat21": "inaturalist-2021",
    "laion2b": "laion-2b",
    "laion400m": "laion-400m",
    "datacomp1b": "datacomp-1b",
    "dfn2b": "dfn-2b",
    "dfn5b": "dfn-5b",
    "webli": "webli",
    "lvd142m": "lvd-142m",
    "lvd1689m": "lvd-1689m",
    "yfcc15m": "yfcc-15m",
    "yfcc100m": "yfcc-100m",
}
"""What a part of a weight's tag says of the data, as timm's documentation of tags has it."""


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def architecture(row: dict[str, Any], macs: dict[tuple[str, int], int]) -> list[Any]:
    known = {size: count for (name, size), count in macs.items() if name == row["name"]}
    side = max(row["input_size"][1:])
    size = side if side in known else next(iter(known), None)
    runs = [[*key, len(list(group))] for key, group in itertools.groupby((c, r) for c, r, _ in row["features"])]
    cfg = get_pretrained_cfg(row["name"])
    prepared = [list(cfg.mean), list(cfg.std), cfg.crop_pct, cfg.crop_mode, cfg.interpolation] if cfg else None
    return [
        row["module"],
        row["class"],
        row["parameters"],
        row["num_classes"],
        row["num_features"],
        row["input_size"][1:],
        row["sized"] or row["fixed"],  # timm itself hands the size of a fixed one over
        row["stem"][0] if row["stem"][1] else "",
        row["stem"][0],
        row["classifier"],
        runs,
        known.get(size),
        size,
        prepared,
    ]


def entry(name: str, cfg: Any, scores: dict[str, tuple[float, float, int]]) -> list[Any]:
    tag = name.partition(".")[2]
    data = [DATA[part] for part in tag.split("_") if part in DATA]
    return [cfg.hf_hub_id, cfg.license or "unknown", data, cfg.num_classes, *scores.get(name, (None, None, None))]


def main() -> None:
    rows, results, date = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    measured = sorted((json.loads(line) for line in rows.open()), key=lambda row: row["name"])
    macs = {
        (row["model"].partition(".")[0], int(row["infer_img_size"])): round(float(row["infer_gmacs"]) * 1e9)
        for file in reversed(BENCHMARKS)
        for row in rows_of(results / file)
        if row["infer_gmacs"]
    }
    scores = {
        row["model"]: (round(float(row["top1"]) / 100, 5), round(float(row["top5"]) / 100, 5), int(row["img_size"]))
        for row in reversed(rows_of(results / "results-imagenet.csv"))  # best first, of several sizes of inputs
    }
    weights = {name: get_pretrained_cfg(name) for name in timm.list_pretrained()}
    known = {row["name"] for row in measured}
    table = {
        "timm": timm.__version__,
        "scored": date,
        "architectures": {row["name"]: architecture(row, macs) for row in measured},
        "weights": {
            name: entry(name, cfg, scores)
            for name, cfg in sorted(weights.items())
            if cfg.hf_hub_id and not cfg.hf_hub_filename and not cfg.custom_load and name.partition(".")[0] in known
        },
    }
    content = json.dumps(table, separators=(",", ":"), sort_keys=True).encode()
    OUT.write_bytes(gzip.compress(content, mtime=0))
    print(f"{len(table['architectures'])} architectures, {len(table['weights'])} weights, {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
