"""Learn CamVid's 11 classes on one CPU thread, and score the 233 test pictures once, at their own size of 480x360.

The run trains on the training split and is watched on the validation split, by which its settings were chosen. Only the
finished weights meet the test split. Processor time is counted, since the clock also counts who else uses the machine.

    ZOO_DATA=../shared/data python benchmarks/segmentation.py [--out /tmp/zoo-segmentation] [--set name=value ...]
        [--picture docs/pictures/segmentation.png]
"""

import argparse
import json
import os
import resource
import shutil
from pathlib import Path
from typing import Any

import torch
from PIL import Image

import zoo
from zoo.data.images.lettering import with_legend
from zoo.data.masks.colours import class_legend, overlay

BACKBONE = {"depths": [2, 2, 2, 2], "widths": [32, 64, 128, 256]}
PRETRAINING = {"precision": "bf16", "epochs": 8, "batch_size": 64, "learning_rate": 0.1, "evaluations": 1}
SETTINGS: dict[str, Any] = {
    "precision": "bf16",
    "image_size": [240, 320],
    "epochs": 45,
    "batch_size": 4,
    "learning_rate": 8e-4,
    "backbone_rate": 1.0,
    "layer_decay": 1.0,
    "finest": 2,
    "width": 32,
    "dice": 1.0,
    "scale_low": 0.7,
    "scale_high": 1.6,
    "evaluations": 5,
}
SHOWN = ("0001TP_008850", "Seq05VD_f01800", "Seq05VD_f04500")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("/tmp/zoo-segmentation"))
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the finetuning")
    parser.add_argument("--picture", type=Path, help="draw three test pictures there, from a run that is finished")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = Path(os.environ["ZOO_DATA"]) / "camvid" / "CamVid"
    run = options.out / "run"
    if options.picture is not None:
        draw(run / "weights", data, options.picture)
        return
    changed = dict(text.split("=", 1) for text in options.set)
    settings = SETTINGS | {name: json.loads(value) for name, value in changed.items()}
    pretrained = options.out / "backbone"
    if not pretrained.is_dir():
        zoo.pretrain(
            "resnet18", data="cifar10", out=pretrained, recipe="supervised", arguments=BACKBONE, settings=PRETRAINING
        )
        print(f"pretraining took {processor_seconds() / 60:.1f} processor minutes", flush=True)
    before = processor_seconds()
    watched = zoo.finetune(
        pretrained,
        task="image-segmentation",
        data=str(watched_by_validation(data, options.out / "camvid")),
        out=run,
        settings=settings,
        force=True,
    )
    print(f"finetuning took {(processor_seconds() - before) / 60:.1f} processor minutes", flush=True)
    show("validation", watched.scores)
    show("test", zoo.evaluate(run, data=str(data)))


def watched_by_validation(data: Path, folder: Path) -> Path:
    """Return a folder of the same data where the validation split lies in the place of the test split."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, source in (("train", "train"), ("test", "val")):
        (folder / name).symlink_to(data / source)
        (folder / f"{name}annot").symlink_to(data / f"{source}annot")
    shutil.copyfile(data.parent / "classes.txt", folder / "classes.txt")
    return folder


def processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def show(split: str, scores: dict[str, float]) -> None:
    """Print the scores in percent."""
    print(f"{split}: " + ", ".join(f"{name} {100 * value:.1f}" for name, value in scores.items()), flush=True)


def draw(weights: Path, data: Path, out: Path) -> None:
    """Write test pictures beside what the weights see in them, with one legend."""
    predict: Any = zoo.load(weights).predict
    labels, width, gap, rows, names = predict.predictor.labels, 300, 6, [], set()
    for name in SHOWN:
        picture = Image.open(data / "test" / f"{name}.jpg")
        (result,) = predict(picture)
        size = (width, round(picture.height * width / picture.width))
        rows.append([tile.resize(size) for tile in (picture, overlay(picture, result["mask"], labels))])
        names.update(found for found, share in result["shares"].items() if share >= 0.005)
    height = rows[0][0].height
    canvas = Image.new("RGB", (2 * width + gap, len(rows) * (height + gap)), "white")
    for row, tiles in enumerate(rows):
        for column, tile in enumerate(tiles):
            canvas.paste(tile, (column * (width + gap), row * (height + gap)))
    out.parent.mkdir(parents=True, exist_ok=True)
    present = [place for place, name in enumerate(labels) if name in names]
    few = canvas.quantize(96).convert("RGB")  # the legend keeps its own colors
    with_legend(few, class_legend(labels, present)).quantize(256).save(out, optimize=True)
    print(f"{out}: {out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
