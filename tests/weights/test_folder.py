"""Weights go to a folder and come back: strictly, tied where they were tied, with every buffer."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from zoo.errors import IntegrityError, NotFoundError, UsageError
from zoo.weights.folder import load_weights, save_weights

Offering = Callable[..., Any]


class Tiny(nn.Module):
    def __init__(self, *, width: int = 4, layers: int = 1, num_classes: int = 2) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(nn.Linear(width, width) for _ in range(layers)))
        self.norm = nn.BatchNorm1d(width)
        self.head = nn.Linear(width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.layers(x)))


class Tied(nn.Module):
    def __init__(self, *, width: int = 4) -> None:
        super().__init__()
        self.embedding = nn.Embedding(8, width)
        self.output = nn.Linear(width, 8, bias=False)
        self.output.weight = self.embedding.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.embedding(x))


class Positioned(nn.Module):
    def __init__(self, *, width: int = 4) -> None:
        super().__init__()
        self.register_buffer("positions", torch.arange(width).float() / width, persistent=False)
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return (x + self.positions) * self.scale


class Follows(nn.Module):
    """A model that makes a buffer where its parameter lies, and fills it."""

    def __init__(self, *, width: int = 4) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))
        mask = torch.empty(width, device=self.scale.device).fill_(-1.0)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return (x + self.mask) * self.scale


class Copies(Positioned):
    """A model that copies into a buffer what it computes where its parameter lies."""

    def __init__(self, *, width: int = 4) -> None:
        super().__init__(width=width)
        self.positions.copy_(torch.arange(width, device=self.scale.device))


def edit(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    root = json.loads(path.read_text())
    arguments = changes.pop("arguments", {})
    root["zoo"].update(changes)
    root["zoo"]["arguments"].update(arguments)
    path.write_text(json.dumps(root))


@pytest.fixture
def tiny(offering: Offering, tmp_path: Path) -> Path:
    offering(limits={"width": 100_000}, tiny=Tiny)
    save_weights(tmp_path / "weights", Tiny(), model_name="tiny", arguments={}, labels=("cat", "dog"))
    return tmp_path / "weights"


def test_round_trip_is_equal_to_the_bit(tiny: Path) -> None:
    model = Tiny()
    model.norm(torch.randn(8, 4))
    save_weights(tiny, model, model_name="tiny", arguments={})
    loaded = load_weights(tiny)
    assert all(torch.equal(model.state_dict()[name], tensor) for name, tensor in loaded.state_dict().items())
    assert not loaded.training
    x = torch.randn(3, 4)
    assert torch.equal(model.eval()(x), loaded(x))


def test_loading_draws_no_random_number(tiny: Path) -> None:
    before = torch.random.get_rng_state()
    load_weights(tiny)
    assert torch.equal(before, torch.random.get_rng_state())


def test_tied_tensors_are_stored_once_and_tied_again(offering: Offering, tmp_path: Path) -> None:
    offering(tied=Tied)
    model = Tied()
    save_weights(tmp_path / "weights", model, model_name="tied", arguments={})
    assert list(load_file(tmp_path / "weights" / "model.safetensors")) == ["embedding.weight"]
    loaded = load_weights(tmp_path / "weights")
    assert loaded.output.weight is loaded.embedding.weight
    assert torch.equal(loaded.output.weight, model.output.weight)


@pytest.mark.parametrize("kind", [Positioned, Follows, Copies])
def test_buffers_that_no_file_holds_are_computed_again(
    offering: Offering, tmp_path: Path, kind: type[nn.Module]
) -> None:
    offering(positioned=kind)
    save_weights(tmp_path / "weights", kind(), model_name="positioned", arguments={})
    torch.manual_seed(0)
    before = torch.get_rng_state()
    loaded = load_weights(tmp_path / "weights")
    assert all(map(torch.equal, loaded.buffers(), kind().buffers()))
    assert torch.equal(torch.get_rng_state(), before)


def test_041_saving_onto_the_file_being_read(tiny: Path) -> None:
    loaded = load_weights(tiny)
    expected = {name: tensor.clone() for name, tensor in loaded.state_dict().items()}
    save_weights(tiny, loaded, model_name="tiny", arguments={})
    again = load_weights(tiny).state_dict()
    assert all(torch.equal(again[name], tensor) for name, tensor in expected.items())
    assert all(torch.equal(loaded.state_dict()[name], tensor) for name, tensor in expected.items())


def test_013_layers_beyond_limit(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(tiny, arguments={"layers": 10**9})
    built = []
    monkeypatch.setattr("zoo.weights.folder.assemble", lambda *_, **__: built.append(1))
    tracemalloc.start()
    with pytest.raises(IntegrityError, match="limit"):
        load_weights(tiny)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not built and peak < 20_000_000, "it has to be refused before it is tried"


def test_013_layers_within_the_integer_limit_but_too_many_modules(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.weights.build.MAX_MODULES", 50)
    edit(tiny, arguments={"layers": 1000})
    with pytest.raises(IntegrityError, match="more than 50 modules, the limit"):
        load_weights(tiny)


@pytest.mark.parametrize("width", [-1, 0, 4.0, True, "4", None])
def test_014_width_of_another_kind(tiny: Path, width: object) -> None:
    edit(tiny, arguments={"width": width})
    with pytest.raises(IntegrityError, match="width"):
        load_weights(tiny)


def test_016_product_of_arguments_beyond_the_parameter_cap(tiny: Path) -> None:
    edit(tiny, arguments={"width": 100_000, "layers": 1000})
    with pytest.raises(IntegrityError, match=r"more than 200,000,000,000 parameters"):
        load_weights(tiny)


def test_018_architecture_of_another_plugin(tiny: Path) -> None:
    edit(tiny, architecture="resnet18")
    with pytest.raises(IntegrityError, match="resnet18.*zoo-stranger does not offer"):
        load_weights(tiny)


def test_018_plugin_that_is_not_installed(tiny: Path) -> None:
    edit(tiny, plugin="zoo-elsewhere")
    with pytest.raises(NotFoundError, match="zoo plugins install zoo-elsewhere"):
        load_weights(tiny)


def test_019_class_count_and_head_tensor_disagree(tiny: Path) -> None:
    edit(tiny, arguments={"num_classes": 3}, labels=["cat", "dog", "cow"])
    with pytest.raises(IntegrityError, match=r"head\.weight \[2, 4\] instead of \[3, 4\]"):
        load_weights(tiny)


def test_unknown_argument_lists_allowed(tiny: Path) -> None:
    edit(tiny, arguments={"depth": 3})
    with pytest.raises(IntegrityError, match="unknown argument 'depth'; allowed are width, layers, num_classes"):
        load_weights(tiny)


def test_unknown_argument_in_code_is_a_usage_error(tmp_path: Path, tiny: Path) -> None:
    with pytest.raises(UsageError, match="no argument 'depth'"):
        save_weights(tmp_path / "other", Tiny(), model_name="tiny", arguments={"depth": 3})


@pytest.mark.parametrize("fault", ["missing", "unexpected", "wrong shape", "wrong dtype"])
def test_031_035_036_037_tensors_that_do_not_fit(tiny: Path, fault: str) -> None:
    path = tiny / "model.safetensors"
    tensors = {name: tensor.clone() for name, tensor in load_file(path).items()}
    match fault:
        case "missing":
            del tensors["head.bias"]
        case "unexpected":
            tensors["extra"] = torch.zeros(1)
        case "wrong shape":
            tensors["head.bias"] = torch.zeros(7)
        case _:
            tensors["head.bias"] = tensors["head.bias"].double()
    save_file(tensors, path)
    with pytest.raises(IntegrityError, match=f"1 {fault}"):
        load_weights(tiny)


def test_031_another_float_type_is_converted_when_asked(tiny: Path) -> None:
    path = tiny / "model.safetensors"
    original = load_file(path)
    save_file({name: t.double() if t.is_floating_point() else t for name, t in original.items()}, path)
    with pytest.raises(IntegrityError, match='ask for a conversion with dtype="float32"'):
        load_weights(tiny)
    loaded = load_weights(tiny, dtype="float32").state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in original.items())
    with pytest.raises(IntegrityError, match="1 wrong dtype .norm.num_batches_tracked"):
        save_file({name: t.double() for name, t in original.items()}, path)
        load_weights(tiny, dtype="float32")


def test_dtype_may_be_asked_for(offering: Offering, tmp_path: Path) -> None:
    offering(positioned=Positioned, tied=Tied)
    save_weights(tmp_path / "positioned", Positioned(), model_name="positioned", arguments={})
    loaded = load_weights(tmp_path / "positioned", dtype="bfloat16")
    assert {loaded.scale.dtype, loaded.positions.dtype} == {torch.bfloat16}
    save_weights(tmp_path / "tied", Tied(), model_name="tied", arguments={})
    tied = load_weights(tmp_path / "tied", dtype=torch.float16)
    assert tied.output.weight is tied.embedding.weight
    with pytest.raises(UsageError, match="choose one of float32"):
        load_weights(tmp_path / "tied", dtype="int8")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_038_weights_of_a_diverged_training_are_warned_of(
    tiny: Path, value: float, caplog: pytest.LogCaptureFixture
) -> None:
    model = Tiny()
    with torch.no_grad():
        model.head.bias[1] = value
    save_weights(tiny, model, model_name="tiny", arguments={})
    load_weights(tiny)
    assert "holds NaN or infinity (head.bias" in caplog.text


@pytest.mark.parametrize("kept", [0.999, 0.5, 0.01])
def test_039_truncated_file_is_refused_before_it_is_mapped(tiny: Path, kept: float) -> None:
    path = tiny / "model.safetensors"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(IntegrityError, match="pull or export it again"):
        load_weights(tiny)


def test_no_weights_file(tiny: Path) -> None:
    (tiny / "model.safetensors").unlink()
    with pytest.raises(NotFoundError, match=r"no model\.safetensors"):
        load_weights(tiny)
