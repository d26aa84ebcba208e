"""What is predicted of a picture is in the frame in which it is seen, and so is what is drawn."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.data.images.pictures import open_picture
from zoo.data.reading import read_batches
from zoo.inference.embedding.grid import _tile
from zoo.weights.inputs import Preprocessing


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("crop", [1.0, 0.875])
def test_129_sizes_of_predictions_and_drawings_are_of_the_picture_as_it_is_seen(
    turn: int, crop: float, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:10, :15] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    seen = (30, 20) if turn > 4 else (20, 30)
    corner = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}[turn]
    inputs = Preprocessing(image_size=(16, 16), channels=1, crop=crop)
    with Image.open(tmp_path / "a.png") as opened:
        ((batch, sizes),) = read_batches([tmp_path / "a.png", str(tmp_path / "a.png"), opened], inputs, 3)
    assert sizes == [seen] * 3
    drawn = np.asarray(open_picture(tmp_path / "a.png"))
    assert drawn.shape[:2] == seen and np.asarray(_tile(tmp_path / "a.png")).shape[0] % seen[0] == 0
    for image in (*batch[:, 0].numpy(), drawn[..., 0]):
        rows, columns = (range(len(image)), range(len(image[0])))
        bright = {(row, column) for row in (0, -1) for column in (0, -1) if image[rows[row], columns[column]] > 127}
        assert bright == {corner}
