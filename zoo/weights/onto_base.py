"""Load weights that are an adapter: pull out the base they name, put what was learnt onto it, and merge."""

from collections.abc import Callable
from pathlib import Path

from torch import nn

from zoo.errors import IntegrityError
from zoo.specs.networks import Network
from zoo.weights.adapters import add_adapters, learnt_tensors, merge_adapters
from zoo.weights.assembly import put_head
from zoo.weights.config import read_config
from zoo.weights.description import WeightsDescription
from zoo.weights.find import find_base
from zoo.weights.fit import check_tensors
from zoo.weights.stored import stored_tensors


def load_onto_base(
    folder: Path, block: WeightsDescription, load: Callable[[Path, WeightsDescription], nn.Module]
) -> nn.Module:
    """Return the base that `block` names with the folder's tensors on it, in eval mode; `load` loads the base.

    The base is taken from the cache, where whoever found the folder has pulled it.
    """
    record = block.adapter
    assert record is not None
    base_folder = find_base(record.base, offline=True)
    base_block = read_config(base_folder)
    _check_base(folder, block, base_folder, base_block)
    base = load(base_folder, base_block)
    model = put_head(base.backbone if isinstance(base, Network) else base, block)
    add_adapters(model, rank=record.rank, alpha=record.alpha)
    stored = stored_tensors(folder)
    check_tensors(learnt_tensors(model), {}, stored.headers, stored.path)
    model.load_state_dict(stored.load(), strict=False, assign=True)
    merge_adapters(model)
    return model.eval()


def _check_base(folder: Path, block: WeightsDescription, base_folder: Path, base: WeightsDescription) -> None:
    if base.adapter is not None:
        raise IntegrityError(f"{folder} is an adapter for an adapter, {base_folder}; get one for complete weights")
    wanted, found = ({**arguments, "num_classes": None} for arguments in (block.arguments, base.arguments))
    if base.architecture != block.architecture or wanted != found:
        raise IntegrityError(
            f"{folder} is an adapter for a {block.architecture!r} with other arguments than its base {base_folder}; "
            "get a fresh copy"
        )
