"""Find blood cells from weights of our own: pretrain on CIFAR-10, finetune, measure.

python benchmarks/detection.py BCCD --out RUNS              # measured on the val list, by which everything is chosen
python benchmarks/detection.py BCCD --out RUNS --on test    # once, at the end
... --from scratch                                          # without pretraining, to compare with
... --on test --picture docs/pictures/detection.png         # draws what the finished run finds in three test pictures

BCCD is a folder of Pascal VOC, and $ZOO_DATA has CIFAR-10. One thread; times are the processor's, user and system.
"""

import argparse
import shutil
import time
from pathlib import Path
from typing import Any

import torch
from PIL import Image

import zoo
from zoo.data.images.lettering import with_legend
from zoo.data.masks.colours import class_legend
from zoo.tasks.detection.pictures import draw_boxes

MODEL: dict[str, Any] = {"widths": [32, 64, 128, 256]}
SIZE = (240, 320)
PRETRAINING: dict[str, Any] = {"epochs": 20}
FINETUNING: dict[str, Any] = {"image_size": SIZE, "flips": "both", "backbone_rate": 0.5}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bccd", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--on", choices=["val", "test"], default="val")
    parser.add_argument("--from", dest="start", choices=["pretrained", "scratch"], default="pretrained")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--picture", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    pretrained, run = asked.out / "pretrained", asked.out / f"{asked.start}-{asked.on}"
    if not (pretrained / "weights").is_dir():
        pretrain(pretrained)
    data = asked.bccd if asked.on == "test" else with_val_for_test(asked.bccd, asked.out / "data")
    if not (run / "weights").is_dir():
        method = "full" if asked.start == "pretrained" else "scratch"
        more = {} if asked.steps is None else {"steps": asked.steps}
        start = time.process_time()
        result = zoo.finetune(
            pretrained,
            task="object-detection",
            data=str(data),
            out=run,
            method=method,
            settings={**FINETUNING, **more},
            force=True,
        )
        print(f"{asked.start}, on {asked.on}: {(time.process_time() - start) / 60:.1f} CPU minutes of finetuning")
        for name, value in result.scores.items():
            print(f"  {name:16} {value:.4f}")
    if asked.picture is not None:
        draw(run, [asked.bccd / "JPEGImages" / f"{name}.jpg" for name in names(asked.bccd, "test")[:3]], asked.picture)


def pretrain(out: Path) -> None:
    """Learn CIFAR-10's classes; its pictures are small, and so this takes a few minutes."""
    start = time.process_time()
    result = zoo.pretrain(
        "resnet18", recipe="supervised", data="cifar10", out=out, arguments=MODEL, settings=PRETRAINING, force=True
    )
    minutes = (time.process_time() - start) / 60
    print(f"pretrained in {minutes:.1f} CPU minutes: {result.scores['accuracy']:.1f} % on CIFAR-10's test pictures")


def names(bccd: Path, split: str) -> list[str]:
    """Return the names of a list."""
    return (bccd / "ImageSets" / "Main" / f"{split}.txt").read_text().split()


def with_val_for_test(bccd: Path, folder: Path) -> Path:
    """Make a folder whose test list is the val list, so that the test pictures are not even opened."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "ImageSets" / "Main").mkdir(parents=True)
    for name in ("JPEGImages", "Annotations"):
        (folder / name).symlink_to((bccd / name).resolve())
    for name, split in (("train", "train"), ("test", "val")):
        (folder / "ImageSets" / "Main" / f"{name}.txt").write_text("\n".join(names(bccd, split)) + "\n")
    return folder


def draw(run: Path, photos: list[Path], out: Path) -> None:
    """Write what is found in photos side by side, at their own size with one legend, in few colors to stay small."""
    predict: Any = zoo.load(run / "weights").predict
    labels, drawn, kinds = predict.predictor.labels, [], set()
    for photo, result in zip(photos, predict(photos), strict=True):
        with Image.open(photo) as picture:
            found = [labels.index(item["label"]) for item in result["boxes"]]
            drawn.append(draw_boxes(picture, [item["box"] for item in result["boxes"]], found, labels))
        kinds.update(found)
    canvas = Image.new("RGB", (sum(picture.width for picture in drawn), max(picture.height for picture in drawn)))
    left = 0
    for picture in drawn:
        canvas.paste(picture, (left, 0))
        left += picture.width
    out.parent.mkdir(parents=True, exist_ok=True)
    few = canvas.quantize(64).convert("RGB")  # the legend keeps its own colors
    with_legend(few, class_legend(labels, sorted(kinds))).quantize(256).save(out, optimize=True)


if __name__ == "__main__":
    main()
