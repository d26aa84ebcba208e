"""docs/models.md: which model and which weights, of what our plugins offer and registry.json lists."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from zoo.commands.tables import millions
from zoo.registry.registry import default_registry

TOP = Path(__file__).parents[1]
_HEAD = """\
# Which model

What the plugins of this repository can train, and what the catalogue can pull. Made by `make docs` of the plugins'
specs and of `registry.json`; `make check` compares it.
[Choosing a model](tutorial/choosing.md) says how to go about it.

`zoo list` prints these tables for what is installed, `zoo info NAME` tells more of one.

"""
_WANTED = (
    (
        "tell classes of pictures, with labels",
        "any backbone, weights of `image-classification`",
        "`resnet18.a1_in1k`, `vit_small_patch16_224.augreg_in21k_ft_in1k`",
    ),
    (
        "find boxes or masks",
        "the capability `detection-ready`",
        "`resnet50.a1_in1k`",
    ),
    (
        "learn from pictures without labels",
        "recipes `denoising`, `simclr`, `masked_image_modelling`",
        "`conv_autoencoder`, `resnet20`, `vit_tiny_patch16_224`",
    ),
    (
        "make pictures",
        "the capability `sample`",
        "`dcgan`, `variational_autoencoder`",
    ),
    (
        "compress pictures, compare them by a code",
        "`embed`, `reconstruct`",
        "`conv_autoencoder`, `tiny_autoencoder.taesd`",
    ),
    (
        "tell classes of texts",
        "`language-model`, weights of `fill-mask`",
        "`bert.base_uncased`, `minilm_l6.all_v2`",
    ),
    (
        "find texts that mean the same",
        "weights of `feature-extraction`",
        "`minilm_l6.all_v2`, `bert.bge_small_en_v1_5`",
    ),
    (
        "write text",
        "`generate`",
        "`distilgpt2.distilbert`, `smollm2_135m.base`",
    ),
    (
        "translate, summarize",
        "`encode-decode`",
        "`marian`, `t5`",
    ),
    (
        "hear",
        "`log-mel` or `waves`",
        "`tc_resnet_8`, `wav2vec2_base`",
    ),
    (
        "recommend",
        "the modality `interactions`",
        "`ease`, `sasrec`",
    ),
)


def models() -> str:
    """Return the whole page."""
    wanted = _table(("you want to", "look for", "begin with"), _WANTED)
    return "\n".join([_HEAD, "## By what you want\n", wanted, *_weights(), *_models()])


def _weights() -> Iterable[str]:
    listed = json.loads((TOP / "registry.json").read_text(encoding="utf-8"))["weights"]
    rows = [
        (
            f"`{name}`",
            entry.get("summary"),
            entry["task"],
            entry.get("data"),
            millions(entry.get("parameters")),
            _size(entry),
            entry["license"],
        )
        for name, entry in sorted(listed.items(), key=lambda item: (item[1]["task"], item[1].get("parameters") or 0))
    ]
    yield "## Weights to pull\n"
    yield f"{len(rows)} names, each pinned to a commit and to the sha256 of every file; smallest first within a task.\n"
    yield _table(("weights", "what", "task", "trained on", "parameters", "MB", "license"), rows)


def _models() -> Iterable[str]:
    specs = [offer.spec for offer in default_registry().offers("models")]
    yield "## Models to train\n"
    for modality in sorted({spec.modality for spec in specs}):
        rows = [
            (
                f"`{spec.name}`",
                spec.summary,
                millions(spec.parameters),
                ", ".join(spec.capabilities),
                spec.recipe and f"`{spec.recipe}`",
            )
            for spec in sorted(specs, key=lambda spec: (spec.family, spec.parameters or 0))
            if spec.modality == modality
        ]
        yield f"### {modality.capitalize()}\n"
        yield _table(("model", "what", "parameters", "can", "pretrained by"), rows)


def _size(entry: Any) -> str:
    return f"{sum(file['size'] for file in entry['files'].values()) / 1e6:,.0f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return (
        "\n".join(f"| {' | '.join(str(cell or '-').replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
        + "\n"
    )
