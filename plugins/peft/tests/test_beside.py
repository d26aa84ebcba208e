"""Adapters beside one base compute what they do merged, and none of them takes another base's memory."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import zoo
from plugins.peft.tests.conftest import KEY, PATCHES, QUERY, WIDTH

Write = Callable[..., Path]


@pytest.fixture
def pictures() -> Tensor:
    """Return two pictures."""
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def lengths() -> dict[str, Tensor]:
    """Return what makes the adapter one of DoRA's; lengths may have been learnt below zero."""
    shapes = {QUERY: (WIDTH,), KEY: (WIDTH,), PATCHES: (1, WIDTH, 1, 1)}
    return {f"base_model.model.{name}.lora_magnitude_vector": torch.randn(shape) for name, shape in shapes.items()}


def head(classes: int = 2) -> dict[str, Tensor]:
    return {
        "base_model.model.classifier.weight": torch.randn(classes, WIDTH),
        "base_model.model.classifier.bias": torch.ones(classes),
    }


def test_each_of_several_computes_as_it_does_merged(base: Path, adapter: Write, pictures: Tensor) -> None:
    folders = {
        "a": adapter(name="a"),
        "b": adapter(lengths(), name="b", use_dora=True),
        "c": adapter(head(), name="c", use_rslora=True),
        "d": adapter({"base_model.model.vit.layers.1.attention.k_proj.bias": torch.ones(WIDTH)}, name="d"),
    }
    model = zoo.load(base)
    with torch.no_grad():
        alone = model(pictures)
        for name, folder in folders.items():
            model.adapters.load(folder, name=name)
            assert torch.equal(model(pictures), alone)
        for name in ("a", "b", "c", "d", "b"):
            model.adapters.use(name)
            torch.testing.assert_close(model(pictures), zoo.load(folders[name])(pictures), atol=1e-5, rtol=1e-4)
        model.adapters.unload("b")
        assert model.adapters.names == ("a", "c", "d") and model.adapters.active is None
        assert torch.equal(model(pictures), alone)
        model.adapters.use("c")
        model.adapters.use(None)
        assert torch.equal(model(pictures), alone)


@pytest.mark.parametrize("kind", ["lora", "dora"])
def test_merging_leaves_plain_weights(kind: str, base: Path, adapter: Write, pictures: Tensor, tmp_path: Path) -> None:
    folder = adapter({**head(), **(lengths() if kind == "dora" else {})}, use_dora=kind == "dora")
    model = zoo.load(base)
    model.adapters.load(folder, name="a")
    with pytest.raises(zoo.UsageError, match="no adapter is used"):
        model.merge_adapter()
    model.adapters.use("a")
    model.merge_adapter()
    assert model.adapters.names == ()
    merged, wanted = zoo.load(zoo.save(model, tmp_path / "merged")), zoo.load(folder)
    torch.testing.assert_close(dict(merged.state_dict()), dict(wanted.state_dict()))


def test_sixteen_adapters_take_no_more_than_their_files(base: Path, adapter: Write, pictures: Tensor) -> None:
    model = zoo.load(base)
    size = sum(tensor.nbytes for tensor in model.state_dict().values())
    files = 0
    for number in range(16):
        folder = adapter({**lengths(), **head()}, name=f"a{number}", use_dora=True)
        files += (folder / "adapter_model.safetensors").stat().st_size
        model.adapters.load(folder, name=folder.name)
    model.adapters.use("a7")
    model(pictures)
    held = [*model.state_dict().values(), *model.adapters.tensors(), *model.adapters._before.values()]
    stores = {tensor.data_ptr(): tensor.nbytes for tensor in held}
    assert sum(stores.values()) <= 1.1 * size + files


def test_another_base_is_refused(base: Path, adapter: Write, tmp_path: Path) -> None:
    folder = adapter()
    torch.manual_seed(5)
    other = zoo.load(zoo.export(zoo.save(zoo.load(folder), tmp_path / "other"), to="transformers", out=tmp_path / "o"))
    with pytest.raises(zoo.IntegrityError, match=r"corrects .*base, and the model was made of"):
        other.adapters.load(folder)
    with pytest.raises(zoo.IntegrityError, match="adapter=None"):
        zoo.load(folder).adapters.load(folder)
    model = zoo.load(folder, adapter=None)
    model.adapters.load(folder)
    for wrong, message in (
        (lambda: model.adapters.load(folder), "there is an adapter 'default' already"),
        (lambda: model.adapters.use("b"), "no adapter 'b' is loaded; there are default"),
        (lambda: model.adapters.unload("b"), "no adapter 'b' is loaded"),
        (lambda: model.adapters.load(base, name="b"), "holds no adapter of PEFT"),
        (lambda: model.adapters.load(adapter(head(5), name="five"), name="b"), r"which the model has of \[2"),
    ):
        with pytest.raises(zoo.UsageError, match=message):
            wrong()
    assert model.adapters.names == ("default",)


def test_an_adapter_with_other_classes_goes_onto_a_model_with_as_many(
    base: Path, adapter: Write, pictures: Any
) -> None:
    folder = adapter(head(5))
    model = zoo.load(base, num_classes=5)
    model.adapters.load(folder)
    model.adapters.use("default")
    torch.testing.assert_close(model(pictures), zoo.load(folder)(pictures), atol=1e-5, rtol=1e-4)
