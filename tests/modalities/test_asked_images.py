"""What may be asked of images: sizes and channels that they can have."""

from pathlib import Path
from typing import Any

import pytest

from tests.data.images.test_folders import paint
from zoo.errors import DataError, UsageError
from zoo.modalities.image import ImageModality, ImageOptions
from zoo.registry.registry import default_registry
from zoo.specs.modality import DataSource, Need
from zoo.specs.settings import TrainingSettings


def opened(folder: Path, arguments: dict[str, Any]) -> Any:
    for name in ("cat", "dog"):
        for place in range(2):
            paint(folder / name / f"{place}.png")
    registry = default_registry()
    need = Need(
        stage="pretrain",
        recipe=registry.recipe("image_classification").spec,
        settings=TrainingSettings(),
        model=registry.model("resnet18").spec,
        arguments=arguments,
    )
    return ImageModality().open(DataSource(name=str(folder), options=ImageOptions()), need)


@pytest.mark.parametrize(
    "arguments",
    [
        *({"channels": value} for value in ("abc", 0, -1, 1.5, [3], 2000)),
        *(
            {"image_size": value}
            for value in ("abc", 0, -3, 28.5, [28], [28, 28, 28], {"a": 1}, 65_536, True, [1, "x"])
        ),
    ],
    ids=str,
)
def test_123_sizes_and_channels_that_no_image_has(arguments: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no image has (channels|image_size)=.*; give pixels, such as") as caught:
        opened(tmp_path, arguments)
    assert "\n" not in str(caught.value)


def test_123_four_channels_are_none_that_pictures_are_read_in(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="read as grey or RGB, 1 or 3 channels, and not as 4"):
        opened(tmp_path, {"channels": 4})


@pytest.mark.parametrize("size", [8, [8, 8], (8, 8)])
def test_sizes_that_images_have(size: Any, tmp_path: Path) -> None:
    assert opened(tmp_path, {"image_size": size, "channels": 1})[1].image_size == (8, 8)
