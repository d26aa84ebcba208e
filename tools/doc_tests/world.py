"""What blocks find: a little of every data set, files of the names that pages use, and a Hub with what pages pull."""

import gzip
import hashlib
import io
import json
import os
import shutil
import struct
import tarfile
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image, ImageDraw

WORDS = "the cat sat on a warm mat while one dog ran down the long road and two birds sang in old trees".split()
RANDOM = np.random.default_rng(0)
RESNETS = ("resnet18.a1_in1k", "resnet50.a1_in1k")


def make(folder: Path) -> None:
    """Make the world: `data` for $ZOO_DATA, `here` for every page's own folder, `hub`, and `registry.json`."""
    _data_sets(folder / "data")
    _files(folder / "here")
    _hub(folder)


def picture(size: tuple[int, int] = (32, 32), mode: str = "RGB") -> Image.Image:
    """Return a picture of a few shapes."""
    drawn = Image.fromarray(RANDOM.integers(0, 60, (*size[::-1], 3), np.uint8)).convert(mode)
    x, y = (int(RANDOM.integers(1, edge // 2)) for edge in size)
    shade = int(RANDOM.integers(120, 255))
    ImageDraw.Draw(drawn).rectangle((x, y, x + size[0] // 3, y + size[1] // 3), fill=(shade,) * len(drawn.getbands()))
    return drawn


def sentence(count: int = 9) -> str:
    """Return a few words."""
    return " ".join(RANDOM.choice(WORDS, count)).capitalize() + "."


def _data_sets(folder: Path) -> None:
    """Write data sets as their authors give them out, a hundredth as large."""
    for name in ("fashion-mnist", "mnist"):
        (folder / name).mkdir(parents=True)
        for part, count in (("train", 1000), ("t10k", 60)):
            images = np.stack([np.array(picture((28, 28), "L")) for _ in range(count)])
            _idx(folder / name / f"{part}-images-idx3-ubyte.gz", images)
            _idx(folder / name / f"{part}-labels-idx1-ubyte.gz", np.arange(count, dtype=np.uint8) % 10)
    cifar = folder / "cifar10" / "cifar-10-batches-bin"
    cifar.mkdir(parents=True)
    for name in (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"):
        rows = [bytes([place % 10]) + np.array(picture()).transpose(2, 0, 1).tobytes() for place in range(40)]
        (cifar / name).write_bytes(b"".join(rows))
    (cifar / "batches.meta.txt").write_text("".join(f"class{place}\n" for place in range(10)))
    recordings = folder / "fsdd" / "recordings"
    recordings.mkdir(parents=True)
    for digit in range(10):
        for number in range(8):
            sound(recordings / f"{digit}_jackson_{number}.wav", 200 + 80 * digit)
    (folder / "aeslc").mkdir()
    with tarfile.open(folder / "aeslc" / "enron_subject_line.tar.gz", "w:gz") as archive:
        for split, count in (("train", 80), ("dev", 20), ("test", 20)):
            for number in range(count):
                content = f"{sentence(30)}\n\n@subject\n{sentence(4)}\n\n@ann0\nx\n".encode()
                entry = tarfile.TarInfo(f"enron_subject_line/{split}/{number}.subject")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    (folder / "multi30k").mkdir()
    for stem, count in (("train", 80), ("val", 20), ("test_2016_flickr", 20)):
        for language in ("de", "en", "fr"):
            lines = "".join(sentence() + "\n" for _ in range(count))
            (folder / "multi30k" / f"{stem}.{language}.gz").write_bytes(gzip.compress(lines.encode()))


def _idx(path: Path, array: np.ndarray) -> None:
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(head + array.tobytes()))


def sound(path: Path, pitch: float, seconds: float = 0.5, rate: int = 8000) -> None:
    """Write a tone."""
    soundfile.write(path, 0.4 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate), rate)


def _files(folder: Path) -> None:
    """Write the files and folders that pages name."""
    for name in ("photos", "labelled"):
        for split, count in (("train", 60), ("test", 4)):
            for label in ("cat", "dog"):
                (folder / name / split / label).mkdir(parents=True)
                for number in range(count):
                    picture().save(folder / name / split / label / f"{number}.png")
    (folder / "bags").mkdir()
    for number in range(40):
        picture((28, 28), "L").save(folder / "bags" / f"{number}.png")
    for name in ("voc", "boxes"):
        _voc(folder / name)
    _masks(folder / "street")
    for name in ("cat.jpg", "dog.jpg", "street.jpg", "photo.jpg", "a.png", "b.png"):
        picture((48, 40)).save(folder / name)
    picture((28, 28), "L").save(folder / "shoe.png")
    (folder / "texts").mkdir()
    for number in range(6):
        (folder / "texts" / f"{number}.txt").write_text(" ".join(sentence() for _ in range(200)))
    for name in ("play.txt", "scene.txt", "mail.txt", "more-questions.txt"):
        (folder / name).write_text("\n".join(sentence() for _ in range(200 if name == "play.txt" else 8)) + "\n")
    (folder / "questions").mkdir()
    for split, count in (("train", 40), ("test", 12)):
        rows = "".join(f"{sentence()},{'HUM' if number % 2 else 'LOC'}\n" for number in range(count))
        (folder / "questions" / f"{split}.csv").write_text(f"question,kind\n{rows}")
    films = ("Alien", "Brazil", "Heat", "Ronin", "Gattaca", "Blade Runner")
    ratings = [(user, film) for user in range(1, 61) for film in films if RANDOM.random() < 0.7]
    (folder / "ratings.csv").write_text("user,item\n" + "".join(f"{user},{film}\n" for user, film in ratings))
    for name in ("a.wav", "b.flac"):
        sound(folder / name, 300)


def _voc(folder: Path) -> None:
    for part in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (folder / part).mkdir(parents=True)
    for number in range(16):
        picture((64, 64)).save(folder / "JPEGImages" / f"{number}.jpg")
        box = "<xmin>10</xmin><ymin>12</ymin><xmax>40</xmax><ymax>44</ymax>"
        size = "<size><width>64</width><height>64</height><depth>3</depth></size>"
        name = "cell" if number % 2 else "plate"
        shown = f"<object><name>{name}</name><difficult>0</difficult><bndbox>{box}</bndbox></object>"
        (folder / "Annotations" / f"{number}.xml").write_text(
            f"<annotation><filename>{number}.jpg</filename>{size}{shown}</annotation>"
        )
    (folder / "ImageSets/Main/train.txt").write_text("".join(f"{number}\n" for number in range(12)))
    (folder / "ImageSets/Main/test.txt").write_text("".join(f"{number}\n" for number in range(12, 16)))


def _masks(folder: Path) -> None:
    for split, count in (("train", 8), ("test", 4)):
        for part in ("images", "masks"):
            (folder / part / split).mkdir(parents=True)
        for number in range(count):
            picture((64, 48)).save(folder / "images" / split / f"{number}.png")
            mask = np.zeros((48, 64), np.uint8)
            mask[24:, :] = 1
            Image.fromarray(mask).save(folder / "masks" / split / f"{number}.png")
    (folder / "classes.txt").write_text("Sky\nRoad\n")


def _hub(folder: Path) -> None:
    """Fill a Hub with weights of random numbers under the names that pages pull, and a catalogue that pins them."""
    import zoo
    from zoo.api.transfer import push
    from zoo.hub.server.serving import serve_folder

    weights = folder / "weights"
    inputs = zoo.Preprocessing(image_size=(64, 64), channels=3, mean=(0.5,) * 3, std=(0.25,) * 3)
    labels = [f"class{place}" for place in range(4)]
    listed: dict[str, object] = {}
    with serve_folder(folder / "hub") as hub, redirect_stdout(io.StringIO()):
        os.environ |= {"HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token}

        def publish(repo: str, source: Path, name: str | None, plugin: str, task: str, tag: str | None = None) -> None:
            pushed = push(source, repo, private=False, license="apache-2.0", tag=tag)
            if name is not None:
                listed[name] = _entry(repo, pushed.commit, source, plugin, task)

        for name in RESNETS:
            # all of the small one, which other libraries take; the large one is narrow
            sizes = {} if name.startswith("resnet18") else {"widths": [8, 8, 16, 32]}
            model = zoo.create(name.partition(".")[0], num_classes=4, **sizes)
            saved = zoo.save(model, weights / name, task="image-classification", labels=labels, inputs=inputs)
            publish(f"timm/{name}", saved, name, "zoo-cnn", "image-classification")
        model = zoo.create("resnet20", channels=3, num_classes=4)
        small = zoo.save(model, weights / "small", task="image-classification", labels=labels, inputs=inputs)
        publish("org/name", small, "NAME", "zoo-cnn", "image-classification", tag="v1")
        shutil.copytree(small, folder / "here" / "WEIGHTS")
        for repo, model_name, sizes, name in (
            ("sentence-transformers/all-MiniLM-L6-v2", "bert", {"mlp_width": 64}, "minilm_l6.all_v2"),
            ("org/stories", "gpt2", {}, "stories"),
        ):
            run = zoo.pretrain(
                model_name,
                data=str(folder / "here" / "texts"),
                out=weights / model_name,
                arguments={"width": 32, "depth": 1, "num_heads": 2, **sizes},
                settings={"steps": 2, "max_tokens": 32, "tokenizer": "bpe:300"},
            )
            publish(repo, run.folder, name, "zoo-transformer", "text-generation")
        photos = str(folder / "here" / "photos")
        zoo.pretrain("conv_autoencoder", data=photos, out=folder / "here" / "RUN", settings={"steps": 2})
    (folder / "registry.json").write_text(
        json.dumps({"schema_version": 1, "weights": listed, "aliases": {}, "plugins": {}})
    )


def _entry(repo: str, commit: str, source: Path, plugin: str, task: str) -> Mapping[str, object]:
    weights = source / "weights" if (source / "weights").is_dir() else source
    files = {
        path.name: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "size": path.stat().st_size}
        for path in weights.iterdir()
        if path.name in ("model.safetensors", "config.json", "tokenizer.json")
    }
    return {"repo": repo, "revision": commit, "files": files, "plugin": plugin, "task": task, "license": "apache-2.0"}
