"""Measure every architecture of the installed timm on the meta device, a JSON line each: resumable, some minutes.

python plugins/timm/tools/measure.py ROWS.jsonl
"""

import inspect
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import timm
import torch
from timm.models import get_pretrained_cfg

from zoo.weights.build import NoInitialisation


def built(name: str, **changes: Any) -> Any:
    with torch.device("meta"), NoInitialisation():
        return timm.create_model(name, **changes).eval()


def measured(name: str) -> dict[str, Any]:
    cfg = get_pretrained_cfg(name)
    model = built(name)
    size = model.pretrained_cfg.get("input_size") or (3, 224, 224)
    shapes = {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}
    row: dict[str, Any] = {
        "name": name,
        "module": type(model).__module__.rpartition(".")[2],
        "class": type(model).__name__,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "num_classes": model.num_classes,
        "num_features": model.num_features,
        "input_size": list(size),
        "sized": "img_size" in inspect.signature(type(model).__init__).parameters,
        "fixed": bool(cfg and cfg.fixed_input_size),
        "stem": stem(model, shapes),
        "classifier": classifier(cfg, model),
        "features": [[info["num_chs"], info["reduction"], info["module"]] for info in model.feature_info or ()],
    }
    for what in ("no_weight_decay", "group_matcher", "set_grad_checkpointing"):
        try:
            getattr(model, what)()
        except Exception as error:
            row[what] = repr(error)[:80]
    row["own_maps"] = hasattr(model, "forward_intermediates")
    row["modules_missing"] = [m for _, _, m in row["features"] if m not in dict(model.named_modules())]
    return row


def stem(model: Any, shapes: dict[str, tuple[int, ...]]) -> list[Any]:
    """Return the tensor whose second axis is the channels, and whether there is one."""
    named = model.pretrained_cfg.get("first_conv") or ()
    for key in (named,) if isinstance(named, str) else named:
        shape = shapes.get(f"{key}.weight", ())
        if len(shape) == 4 and shape[1] == 3:
            return [f"{key}.weight", True]
    for key, shape in shapes.items():
        if len(shape) == 4 and shape[1] == 3:
            return [key, True]
    return [next(key for key, shape in shapes.items() if len(shape) >= 2), False]


def classifier(cfg: Any, model: Any) -> str:
    """Return the tensor whose first axis is the classes."""
    heads = model.get_classifier() if model.num_classes else None
    first = heads if isinstance(heads, torch.nn.Module) or heads is None else heads[0]
    weights = {id(tensor): key for key, tensor in model.named_parameters()}
    for tensor in [] if first is None else first.parameters():
        if tensor.ndim >= 2 and tensor.shape[0] == model.num_classes:
            return weights[id(tensor)]
    named = (cfg and cfg.classifier) or ()
    return f"{named if isinstance(named, str) else (*named, 'head')[0]}.weight"


def main() -> None:
    warnings.simplefilter("ignore")
    out = Path(sys.argv[1])
    done = {json.loads(line)["name"] for line in out.open()} if out.exists() else set()
    with open(out, "a") as file:
        for name in timm.list_models():
            if name not in done:
                try:
                    row = measured(name)
                except Exception as error:
                    row = {"name": name, "failed": repr(error)[:300]}
                file.write(json.dumps(row) + "\n")
                file.flush()


if __name__ == "__main__":
    main()
