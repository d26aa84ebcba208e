"""Training steps of ResNet-50, ViT-B and GPT-2 in bf16, compiled: Zoo's recipes, and loops by hand."""

from collections.abc import Callable, Mapping
from typing import Any

import timm
import torch
import torch.nn.functional as F
import transformers
from part import DEVICE, Part, in_turn
from torch import Tensor, nn

import zoo
from zoo.engine.distribution import Distribution
from zoo.engine.prepare import prepare
from zoo.engine.stepper import Stepper
from zoo.registry.recipe_settings import settings_from
from zoo.registry.registry import default_registry
from zoo.training.run import make_recipe

Batch = Mapping[str, Tensor]
Step = Callable[[], None]
_SHARED = {
    "weight_decay": 0,
    "schedule": "constant",
    "warmup": 0,
    "precision": "bf16",
    "compile": DEVICE.type == "cuda",
}
_STEPS = 5


def main() -> None:
    part = Part(__doc__)
    for name, make in (("resnet50", resnet50), ("vit_b", vit_b), ("gpt2", gpt2)):
        if part.left < 60 and not part.tiny:
            part.note(name, {"left out": "no time"})
            continue
        torch.manual_seed(0)
        sides = make(part.tiny)
        for step in sides.values():  # compiles
            for _ in range(1 if part.tiny else 10):
                step()
        runs = {side: repeated(step, 1 if part.tiny else _STEPS) for side, step in sides.items()}
        part.note(name, in_turn(runs, 2 if part.tiny else 12))


def resnet50(tiny: bool) -> dict[str, Step]:
    batch = pictures(2 if tiny else 256, 32 if tiny else 224)
    ours = zoo.create("resnet50")
    return {
        "zoo": by_zoo("image_classification", ours, batch, 0.1),
        "by hand": by_hand(zoo.create("resnet50"), batch, of_pictures, sgd),
        "timm": by_hand(timm.create_model("resnet50"), batch, of_pictures, sgd),
    }


def vit_b(tiny: bool) -> dict[str, Step]:
    size, sides = (32, {"width": 64, "depth": 2, "num_heads": 4, "mlp_width": 256}) if tiny else (224, {})
    batch = pictures(2 if tiny else 128, size)
    theirs = {"embed_dim": 64, "depth": 2, "num_heads": 4} if tiny else {}
    config = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 256}
    known = transformers.ViTConfig(image_size=size, num_labels=1000, **(config if tiny else {}))
    made = dict(image_size=size, **sides)
    return {
        "zoo": by_zoo("image_classification", zoo.create("vit", **made), batch, 0.1),
        "by hand": by_hand(zoo.create("vit", **made), batch, of_pictures, sgd),
        "timm": by_hand(timm.create_model("vit_base_patch16_224", img_size=size, **theirs), batch, of_pictures, sgd),
        "transformers": by_hand(
            transformers.ViTForImageClassification(known),
            batch,
            lambda model, batch: F.cross_entropy(model(batch["images"]).logits, batch["labels"]),
            sgd,
        ),
    }


def gpt2(tiny: bool) -> dict[str, Step]:
    rows, length = (2, 16) if tiny else (16, 1024)
    tokens = torch.randint(0, 1000 if tiny else 50257, (rows, length + 1), device=DEVICE)
    batch = {"input_ids": tokens[:, :-1].contiguous(), "targets": tokens[:, 1:].contiguous()}
    batch["index"] = torch.arange(rows, device=DEVICE)
    made = {"vocab_size": 1000, "width": 64, "depth": 2, "num_heads": 4} if tiny else {}
    config = {"vocab_size": 1000, "n_embd": 64, "n_layer": 2, "n_head": 4} if tiny else {}
    known = transformers.GPT2Config(resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, use_cache=False, **config)
    return {
        "zoo": by_zoo("causal_language_modelling", zoo.create("gpt2", **made), batch, 1e-4),
        "by hand": by_hand(
            zoo.create("gpt2", **made),
            batch,
            lambda model, batch: of_tokens(model.lm_logits(model.forward_features(batch["input_ids"])), batch),
            adamw,
        ),
        "transformers": by_hand(
            transformers.GPT2LMHeadModel(known),
            batch,
            lambda model, batch: of_tokens(model(batch["input_ids"]).logits, batch),
            adamw,
        ),
    }


def pictures(count: int, size: int) -> dict[str, Tensor]:
    images = torch.rand(count, 3, size, size, device=DEVICE).to(memory_format=torch.channels_last)
    labels = torch.randint(0, 1000, (count,), device=DEVICE)
    return {"images": images, "labels": labels, "index": torch.arange(count, device=DEVICE)}


def by_zoo(name: str, model: nn.Module, batch: Batch, rate: float) -> Step:
    """Return Zoo's own step: recipe, autocast, compiled blocks, optimizer."""
    offer = default_registry().recipe(name)
    images = "images" in batch
    of_kind = (
        {"method": "scratch", "optimizer": "sgd", "momentum": 0.9, "augmentation": "none", "label_smoothing": 0}
        if images
        else {"optimizer": "adamw", "clip": 0}
    )
    settings = settings_from(offer, {**_SHARED, **of_kind, "learning_rate": rate, "batch_size": len(batch["index"])})
    distribution = Distribution(DEVICE)
    size = tuple(batch["images"].shape[2:]) if images else ()
    inputs = zoo.Preprocessing(image_size=size, channels=3) if images else None
    recipe = make_recipe(offer, settings, model, tuple(map(str, range(1000))) if images else (), inputs)
    prepare(recipe, settings, distribution)
    stepper = Stepper(recipe, settings, 10_000, distribution)
    done = 0

    def step() -> None:
        nonlocal done
        stepper.step(batch, done)
        done += 1

    return step


def by_hand(
    model: nn.Module, batch: Batch, loss_of: Callable[[Any, Batch], Tensor], optimizer_of: Callable[..., Any]
) -> Step:
    """Return the step of a loop that a careful person writes: compiled as one piece, autocast, fused optimizer."""
    model = model.to(DEVICE, memory_format=torch.channels_last).train()
    optimizer = optimizer_of(model.parameters())
    compute = torch.compile(loss_of) if DEVICE.type == "cuda" else loss_of

    def step() -> None:
        with torch.autocast(DEVICE.type, torch.bfloat16):
            loss = compute(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step


def of_pictures(model: Any, batch: Batch) -> Tensor:
    return F.cross_entropy(model(batch["images"]), batch["labels"])


def of_tokens(logits: Tensor, batch: Batch) -> Tensor:
    return F.cross_entropy(logits.flatten(0, 1).float(), batch["targets"].flatten())


def sgd(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, 0.1, momentum=0.9, fused=True)


def adamw(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, 1e-4, weight_decay=0, fused=True)


def repeated(step: Step, count: int) -> Step:
    def run() -> None:
        for _ in range(count):
            step()

    return run


if __name__ == "__main__":
    main()
