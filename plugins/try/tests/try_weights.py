"""Small weights for every task, and items to ask them of: random ones, or trained for a step."""

import json
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import zoo

WORDS = [f"word{number}" for number in range(20)]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_SIZES = {"vocab_size": len(SPECIAL) + len(WORDS), "context": 32, "width": 16, "depth": 1, "num_heads": 2}
_IMAGES = zoo.Preprocessing(image_size=(32, 32), channels=3)


def weights_for(task: str, folder: Path) -> Path:
    """Make weights for a task in a folder."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return _MAKERS[task](task, folder)


def photo(path: Path, size: int = 48) -> Path:
    """Draw a bright square on noise."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 60, (size, size, 3), dtype=np.uint8)
    pixels[size // 4 : size // 2, size // 4 : size // 2] += 150
    Image.fromarray(pixels).save(path)
    return path


def sound(path: Path, rate: int = 16_000) -> Path:
    """Write a second of a tone."""
    samples = 0.4 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def _text_inputs() -> zoo.TextInputs:
    import tokenizers
    from tokenizers.processors import TemplateProcessing

    vocabulary = {word: place for place, word in enumerate([*SPECIAL, *WORDS])}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.decoder = tokenizers.decoders.WordPiece()
    made.add_special_tokens(SPECIAL)
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return zoo.TextInputs(zoo.Tokenizer.of(json.dumps(json.loads(made.to_str())), "a test"), 32)


def _classifier(task: str, folder: Path) -> Path:
    model = zoo.create("resnet20", depth=1, widths=[4, 8, 16], num_classes=3)
    return zoo.save(model, folder, task=task, labels=("ant", "bee", "cat"), inputs=_IMAGES)


def _finetuned(task: str, folder: Path) -> Path:
    boxes = task == "object-detection"
    for split in ("train", "test"):
        place = folder / "data" / split
        beside = place / ("labels" if boxes else "masks")
        beside.mkdir(parents=True)
        (place / "images").mkdir()
        for name in ("0", "1", "2", "3"):
            photo(place / "images" / f"{name}.png")
            mask = np.zeros((48, 48), np.uint8)
            mask[12:24, 12:24] = 1
            if boxes:
                (beside / f"{name}.txt").write_text("0 0.375 0.375 0.25 0.25\n")
            else:
                Image.fromarray(mask).save(beside / f"{name}.png")
    (folder / "data" / "classes.txt").write_text("square\n" if boxes else "ground\nsquare\n")
    zoo.save(zoo.create("resnet20", depth=1, widths=[8, 16, 32]), folder / "backbone", inputs=_IMAGES)
    settings = {"steps": 2, "batch_size": 4}
    run = zoo.finetune(folder / "backbone", task=task, data=str(folder / "data"), out=folder / "run", settings=settings)
    model: Any = zoo.load(run.weights)
    if boxes:
        with torch.no_grad():
            model.class_output.bias.fill_(0.5)  # a detector that finds something everywhere
    return zoo.save(model, folder / "weights")


def _text(name: str, **arguments: Any) -> Callable[[str, Path], Path]:
    def make(task: str, folder: Path) -> Path:
        model = zoo.create(name, **_SIZES, mlp_width=32, **arguments)
        labels = ("plain", "striped") if arguments.get("num_classes") else None
        return zoo.save(model, folder, task=task, labels=labels, inputs=_text_inputs())

    return make


def _created(name: str, size: int = 32, **arguments: Any) -> Callable[[str, Path], Path]:
    def make(task: str, folder: Path) -> Path:
        model = zoo.create(name, image_size=size, **arguments)
        channels = arguments.get("channels", 1)
        return zoo.save(model, folder, inputs=zoo.Preprocessing(image_size=(size, size), channels=channels))

    return make


def _voice(task: str, folder: Path) -> Path:
    return zoo.save(zoo.create("silero_vad"), folder)


def _recommender(task: str, folder: Path) -> Path:
    lines = ["user,item"] + [f"u{user},i{(user + place) % 9}" for user in range(12) for place in range(4)]
    folder.mkdir(parents=True)
    (folder / "met.csv").write_text("\n".join(lines) + "\n")
    return zoo.pretrain("item_knn", data=str(folder / "met.csv"), out=folder / "run").weights


_MAKERS: dict[str, Callable[[str, Path], Path]] = {
    "image-classification": _classifier,
    "object-detection": _finetuned,
    "image-segmentation": _finetuned,
    "text-classification": _text("bert", num_classes=2, lm_head=False),
    "text-generation": _text("gpt2"),
    "fill-mask": _text("bert"),
    "translation": _text("marian", decoder_depth=1),
    "summarization": _text("t5"),
    "unconditional-image-generation": _created("dcgan", 28, classes=3),
    "reconstruction": _created("conv_autoencoder", channels=3),
    "feature-extraction": _text("bert", lm_head=False),
    "voice-activity-detection": _voice,
    "recommendation": _recommender,
}
