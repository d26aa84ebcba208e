"""An engine computes what a model is asked, where its first batch is what eager mode makes of it."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import zoo
from tests.tiny import install, make_weights
from zoo.errors import NotFoundError
from zoo.inference.engines import compute_with

PLUGIN = """
import zoo

@zoo.hookimpl
def zoo_engines():
    yield zoo.EngineSpec(name="scripted", summary="torch's", target="tests.inference.test_engines:scripted")
"""


class Engine:
    """Computes by the function itself, plus `error`, and counts what it is asked for."""

    def __init__(self, error: float = 0.0, fails_at: int = 0) -> None:
        self.error, self.fails_at = error, fails_at
        self.built: list[list[tuple[int, ...]]] = []
        self.frees: list[Any] = []
        self.calls = 0

    def __call__(self, function: nn.Module, example: Sequence[Tensor], free: Any) -> Callable[..., Sequence[Tensor]]:
        self.built.append([tuple(tensor.shape) for tensor in example])
        self.frees.append(list(free))

        def compute(*tensors: Tensor) -> list[Tensor]:
            self.calls += 1
            if self.calls == self.fails_at:
                raise RuntimeError("out of luck\nand more")
            return [tensor * (1 + self.error) for tensor in function(*tensors)]

        return compute


scripted = Engine()


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0))

    def forward_features(self, x: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
        return {"all": x * self.scale, "one": x.sum(1)} if mask is None else {"all": x * mask}

    def forward(self, x: Tensor, cache: Any = None) -> Tensor:
        return self.forward_features(x)["all"].sum(1) if cache is None else x


@pytest.fixture
def net() -> Net:
    return Net().eval()


@torch.inference_mode()
def test_outputs_keep_their_form_in_batches_of_any_number(net: Net) -> None:
    engine = Engine()
    compute_with(("fake", engine), net)
    for count in (1, 3, 2):
        found = net.forward_features(torch.ones(count, 4))
        assert found["all"].tolist() == [[2.0] * 4] * count and found["one"].tolist() == [4.0] * count
    assert engine.built == [[(2, 4)]] and engine.frees == [[(0,)]], "one graph, traced with two items"
    assert engine.calls == 1 + 3, "the first batch is compared, too"
    assert net(torch.ones(2, 4)).tolist() == [8.0, 8.0] and len(engine.built) == 2, "a method of its own"


@torch.inference_mode()
def test_a_size_that_varies_becomes_free(net: Net) -> None:
    engine = Engine()
    compute_with(("fake", engine), net)
    for size in (4, 5, 6, 7):
        assert net.forward_features(torch.ones(2, size))["one"].tolist() == [float(size)] * 2
    assert engine.frees == [[(0,)], [(0, 1)]]
    for length in (3, 9):
        net.forward_features(torch.ones(2, length, dtype=torch.int64), torch.ones(2, length, dtype=torch.int64))
    assert engine.frees[2:] == [[(0, 1), (0, 1)]], "numbers of tokens are, from the beginning"


@torch.inference_mode()
@pytest.mark.parametrize(
    "engine, said",
    [
        (
            Engine(error=0.01),
            r"engine fake: outputs differ from eager mode by 1.0e-02 of the largest, above 0.001; eager",
        ),
        (Engine(error=float("nan")), "engine fake: outputs differ"),
        (Engine(fails_at=1), "engine fake: RuntimeError: out of luck; eager computes instead"),
        (Engine(fails_at=4), "engine fake: RuntimeError: out of luck; eager computes instead"),
    ],
)
def test_eager_goes_on_and_one_line_says_why(
    net: Net, engine: Engine, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    compute_with(("fake", engine), net)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            assert net(torch.ones(2, 4)).tolist() == [8.0, 8.0]
    (line,) = caplog.messages
    assert line.startswith(said) and "\n" not in line
    assert "forward" not in vars(net), "nothing is in the way any more"


def test_training_and_caches_are_left_to_eager(net: Net) -> None:
    engine = Engine()
    compute_with(("fake", engine), net)
    net(torch.ones(2, 4)).sum().backward()
    assert net.scale.grad is not None
    with torch.inference_mode():
        assert net(torch.ones(2, 4), cache=object()).shape == (2, 4)
        net.train()(torch.ones(2, 4))
    assert not engine.built


@torch.inference_mode()
def test_what_a_model_refuses_is_its_own_error(net: Net, caplog: pytest.LogCaptureFixture) -> None:
    compute_with(("fake", Engine()), net)
    with pytest.raises(IndexError, match="Dimension out of range"):
        net(torch.ones(4))
    assert not caplog.messages


@pytest.fixture
def weights(site: Any, tmp_path: Path) -> Path:
    install(site)
    site.install("zoo-fake-engines", PLUGIN, entry_point="fake_engines")
    make_weights(tmp_path / "weights", inputs=zoo.Preprocessing(image_size=(8, 8), channels=1))
    return tmp_path / "weights"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    from PIL import Image

    Image.new("RGB", (20, 20), (200, 30, 90)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_predict_asks_the_engine(weights: Path, photo: Path) -> None:
    from zoo.registry.registry import default_registry

    default_registry.cache_clear()
    before = scripted.calls
    assert zoo.load(weights, engine="scripted").predict(photo) == zoo.load(weights).predict(photo)
    assert scripted.calls == before + 2
    assert zoo.load(weights, engine="eager").predict(photo) == zoo.load(weights).predict(photo)
    with pytest.raises(NotFoundError, match="no engine named 'scrypted'; did you mean scripted"):
        zoo.load(weights, engine="scrypted")
