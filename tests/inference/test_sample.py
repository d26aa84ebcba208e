"""Pictures that weights make: by the seed, and refused where there are none to be had."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import zoo
from zoo.weights.folder import save_weights

PLUGIN = """
import zoo
@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="noise", family="gan", summary="noise", target="zoo_noise:make", capabilities=("sample",))
    yield zoo.ModelSpec(name="mute", family="cnn", summary="mute", target="zoo_noise:make_mute")

def make(*, width: int = 3):
    import torch

    class Noise(torch.nn.Linear):
        def sample(self, n, *, generator=None):
            return torch.rand(n, 3, 8, 8, generator=generator)

    return Noise(width, width)

def make_mute(*, width: int = 3):
    import torch
    return torch.nn.Linear(width, width)
"""


@pytest.fixture
def weights(site: Any, tmp_path: Path) -> Any:
    site.install("zoo-noise", PLUGIN)

    def make(name: str) -> Path:
        folder = tmp_path / name
        save_weights(folder, zoo.create(name), model_name=name, arguments={})
        return folder

    return make


def test_the_seed_decides_and_more_pictures_begin_with_the_same(weights: Any, tmp_path: Path) -> None:
    source = weights("noise")
    grid, *single = zoo.sample(source, 5, out=tmp_path / "a", each=True)
    assert [path.name for path in single] == [f"sample-{place}.png" for place in range(5)]
    with Image.open(single[0]) as picture:
        assert (picture.mode, picture.size) == ("RGB", (8, 8))
    assert zoo.sample(source, 5, out=tmp_path / "b")[0].read_bytes() == grid.read_bytes()
    assert zoo.sample(source, 5, out=tmp_path / "c", seed=1)[0].read_bytes() != grid.read_bytes()
    more = zoo.sample(source, 130, out=tmp_path / "d", each=True)[1:]
    assert [path.read_bytes() for path in more[:5]] == [path.read_bytes() for path in single]
    assert len({path.read_bytes() for path in more}) == 130


@pytest.mark.parametrize(("n", "columns", "lines"), [(1, 1, 1), (5, 3, 2), (64, 8, 8), (1024, 16, 64)])
def test_the_grid_is_about_square(weights: Any, tmp_path: Path, n: int, columns: int, lines: int) -> None:
    (path,) = zoo.sample(weights("noise"), n, out=tmp_path / "out")
    with Image.open(path) as picture:
        assert picture.size == (columns * 66 + 2, lines * 66 + 2)


@pytest.mark.parametrize(
    ("n", "each", "said"), [(0, False, "1 to 1,024"), (1025, False, "--each"), (100_001, True, "1 to 100,000")]
)
def test_numbers_that_are_refused(weights: Any, tmp_path: Path, n: int, each: bool, said: str) -> None:
    with pytest.raises(zoo.UsageError, match=said):
        zoo.sample(weights("noise"), n, out=tmp_path / "out", each=each)
    assert not (tmp_path / "out").exists()


def test_weights_that_make_no_pictures(weights: Any, tmp_path: Path) -> None:
    with pytest.raises(zoo.UsageError, match="which cannot be sampled"):
        zoo.sample(weights("mute"), 4, out=tmp_path / "out")
    with pytest.raises(zoo.UsageError, match="no classes to choose from"):
        zoo.sample(weights("noise"), 4, out=tmp_path / "out", label=0)
    assert not (tmp_path / "out").exists()
