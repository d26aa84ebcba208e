"""Pictures of every mode, depth, orientation, container and animation come out as Pillow's own conversion has them."""

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps, PngImagePlugin

from zoo.data.images.pictures import common_form, decode_all, open_picture, read_frame
from zoo.errors import DataError

_HEIGHT, _WIDTH = 10, 14
_ORIENTATION = 0x0112
_XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'

Pixels = NDArray[Any]


def _ramp(*shape: int, top: int = 256) -> Pixels:
    """Return numbers that differ in every corner."""
    return np.random.default_rng(sum(shape)).integers(0, top, shape)


def _grey(mode: str = "L") -> Image.Image:
    return Image.fromarray(_ramp(_HEIGHT, _WIDTH).astype(np.uint8)).convert(mode)


def _colour(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(_ramp(_HEIGHT, _WIDTH, 3).astype(np.uint8)).convert(mode)


def _see_through(mode: str = "RGBA") -> Image.Image:
    return Image.fromarray(_ramp(_HEIGHT, _WIDTH, 4).astype(np.uint8), "RGBA").convert(mode)


def _deep(kind: str, top: int = 65_536) -> Image.Image:
    return Image.fromarray(_ramp(_HEIGHT, _WIDTH, top=top).astype(kind))


def _bits() -> Image.Image:
    return Image.fromarray(_ramp(_HEIGHT, _WIDTH).astype(np.uint8) > 127)


def _palette() -> Image.Image:
    return _colour().quantize(16)


def _turn(orientation: int) -> dict[str, Any]:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    return {"exif": exif}


def _frames(make: Callable[[], Image.Image]) -> dict[str, Any]:
    return {"save_all": True, "append_images": [ImageOps.invert(make().convert("RGB"))], "duration": 50}


def _xmp_of_png() -> dict[str, Any]:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", _XMP)
    return {"pnginfo": info}


def _behind_the_pixels(orientation: int) -> dict[str, Any]:
    info = PngImagePlugin.PngInfo()
    info.add(b"eXIf", _turn(orientation)["exif"].tobytes(), after_idat=True)
    return {"pnginfo": info}


@dataclass(frozen=True)
class Kind:
    """A file that is written by Pillow, and of what depth its pixels are."""

    name: str
    make: Callable[[], Image.Image]
    suffix: str
    options: dict[str, Any] = field(default_factory=dict)
    bits: int = 8
    fill: bytes | None = None
    """The file itself, where Pillow does not write its kind."""


def _pgm(maximum: int, kind: str) -> bytes:
    values = _ramp(_HEIGHT, _WIDTH, top=maximum + 1).astype(kind)
    return f"P5 {_WIDTH} {_HEIGHT} {maximum}\n".encode() + values.tobytes()


KINDS = (
    *(Kind(f"jpeg turned {turn}", _colour, ".jpg", {"quality": 90, **_turn(turn)}) for turn in range(1, 10)),
    *(Kind(f"grey jpeg turned {turn}", _grey, ".jpg", _turn(turn)) for turn in (3, 6)),
    Kind("cmyk jpeg turned", lambda: _colour("CMYK"), ".jpg", _turn(8)),
    Kind("progressive jpeg", _colour, ".jpg", {"progressive": True, **_turn(5)}),
    Kind("multi-picture jpeg", _colour, ".jpg", {"format": "MPO", **_frames(_colour), **_turn(6)}),
    Kind("jpeg with broken exif", _colour, ".jpg", {"exif": b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01"}),
    Kind("png of bits", _bits, ".png"),
    Kind("png grey", _grey, ".png", _turn(7)),
    Kind("png grey, alpha", lambda: _grey("LA"), ".png", _turn(2)),
    Kind("png palette", _palette, ".png", _turn(6)),
    Kind("png palette, one colour clear", _palette, ".png", {"transparency": 3}),
    Kind("png colour", _colour, ".png"),
    Kind("png colour, alpha", _see_through, ".png", _turn(8)),
    Kind("png of 16 bits", lambda: _deep("uint16"), ".png", bits=16),
    Kind("png of 16 bits turned", lambda: _deep("uint16"), ".png", _turn(6), bits=16),
    Kind("png turned by xmp", _colour, ".png", _xmp_of_png()),
    Kind("png with its exif behind", _colour, ".png", _behind_the_pixels(6)),
    Kind("png animated", _colour, ".png", {**_frames(_colour), **_turn(5)}),
    Kind("gif", _palette, ".gif"),
    Kind("gif animated", _palette, ".gif", _frames(_colour)),
    Kind("webp", _colour, ".webp", {"lossless": True}),
    Kind("webp turned", _colour, ".webp", {"lossless": True, **_turn(7)}),
    Kind("webp alpha", _see_through, ".webp", {"lossless": True, "exact": True, **_turn(4)}),
    Kind("webp animated", _colour, ".webp", {"lossless": True, **_frames(_colour), **_turn(6)}),
    *(Kind(f"tiff turned {turn}", _colour, ".tif", _turn(turn)) for turn in (1, 3, 5, 6, 8)),
    Kind("tiff deflated, turned", _colour, ".tiff", {"compression": "tiff_deflate", **_turn(6)}),
    Kind("tiff cmyk", lambda: _colour("CMYK"), ".tif"),
    Kind("tiff of pages", _colour, ".tif", _frames(_colour)),
    Kind("tiff of 16 bits", lambda: _deep("uint16"), ".tif", bits=16),
    Kind("tiff grey turned", _grey, ".tif", _turn(7)),
    Kind("tiff of 16 bits, big-endian, turned", lambda: _deep(">u2"), ".tif", _turn(8), bits=16),
    Kind("tiff of 32 bits within bytes", lambda: _deep("int32", top=256), ".tif", _turn(6)),
    Kind("tiff of floats within bytes", lambda: _deep("float32", top=256), ".tif"),
    Kind("bmp", _colour, ".bmp"),
    Kind("bmp palette", _palette, ".bmp"),
    Kind("ppm", _colour, ".ppm"),
    Kind("pgm of 16 bits", _grey, ".pgm", fill=_pgm(65_535, ">u2"), bits=16),
    Kind("pgm of 8 bits", _grey, ".pgm"),
)


def _written(kind: Kind, folder: Path) -> Path:
    path = folder / f"picture{kind.suffix}"
    if kind.fill is None:
        kind.make().save(path, **kind.options)
    else:
        path.write_bytes(kind.fill)
    return path


def _expected(path: Path, kind: Kind, mode: str) -> Pixels:
    # From memory, since Pillow maps a plain TIFF by its name, and turns it wrongly
    with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(path.read_bytes())) as opened:
        picture = opened if "broken" in kind.name else ImageOps.exif_transpose(opened)
        picture.load()
    if kind.bits == 16:
        picture = Image.fromarray((np.asarray(picture).astype(np.uint32) // 256).astype(np.uint8))
    elif picture.mode in ("I", "F"):
        picture = Image.fromarray(np.asarray(picture).astype(np.uint8))
    array = np.asarray(picture.convert(mode))
    return array[None] if mode == "L" else array.transpose(2, 0, 1)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_129_130_every_kind_comes_out_as_it_is_seen(kind: Kind, tmp_path: Path) -> None:
    path = _written(kind, tmp_path)
    colours, grey = _expected(path, kind, "RGB"), _expected(path, kind, "L")
    size = colours.shape[1:]
    sizes = np.zeros((1, 2), np.int64)
    assert np.array_equal(decode_all([path], size, 3, sizes=sizes)[0][0], colours)
    assert tuple(sizes[0]) == read_frame(path).size == common_form([path])[0] == size
    # JPEG has grey of its own, which is not to the bit that of its colours
    off = np.abs(decode_all([path], size, 1)[0][0].astype(int) - grey)
    assert off.mean() < 1 if kind.suffix == ".jpg" else not off.any()
    assert np.array_equal(np.asarray(open_picture(path)), colours.transpose(1, 2, 0))


def test_129_there_are_forty_kinds_and_more() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS) >= 40


@pytest.mark.parametrize("turn", range(1, 9))
def test_129_a_large_photo_is_read_at_less_than_its_size_and_turned_all_the_same(turn: int, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    Image.fromarray(_ramp(4, 6, 3).astype(np.uint8)).resize((480, 320)).save(path, quality=95, **_turn(turn))
    with Image.open(path) as opened:
        seen = ImageOps.exif_transpose(opened).resize((6, 10), Image.Resampling.BILINEAR)
    found = decode_all([path], (10, 6), 3)[0][0].transpose(1, 2, 0)
    assert np.abs(found.astype(int) - np.asarray(seen)).max() < 12


def test_130_16_bits_are_what_8_bits_are(tmp_path: Path) -> None:
    values = _ramp(_HEIGHT, _WIDTH).astype(np.uint8)
    Image.fromarray(values).save(tmp_path / "8.png")
    Image.fromarray(values.astype(np.uint16) * 257).save(tmp_path / "16.png")
    found, _ = decode_all([tmp_path / "8.png", tmp_path / "16.png"], values.shape, 1)
    assert np.array_equal(found[0], found[1])
    assert common_form([tmp_path / "16.png"])[1] == 1


@pytest.mark.parametrize(
    ("values", "match"),
    [
        (np.full((4, 4), 70_000, np.int32), "32-bit integers from 70000 to 70000"),
        (np.full((4, 4), -1, np.int32), "integers from -1"),
        (np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4), "floats from 0 to 1"),
        (np.full((4, 4), np.nan, np.float32), "floats from nan"),
        (np.full((4, 4), 300, np.float32), "floats from 300"),
    ],
)
def test_130_what_is_outside_of_bytes_is_refused_by_name(values: Pixels, match: str, tmp_path: Path) -> None:
    Image.fromarray(values).save(tmp_path / "scan.tif")
    for read in (lambda path: decode_all([path], (4, 4), 1), open_picture):
        with pytest.raises(DataError, match=rf"scan\.tif has .*{match}.*save it with 8 or 16 bits") as caught:
            read(tmp_path / "scan.tif")
        assert caught.value.exit_code == 9
    good = tmp_path / "good.png"
    _grey().resize((4, 4)).save(good)
    assert list(decode_all([tmp_path / "scan.tif", good], (4, 4), 1, skip_bad=1)[1]) == [0]


@pytest.mark.parametrize("mode", ["LAB", "La", "HSV", "PA", "RGBX", "YCbCr", "RGBa"])
def test_130_modes_that_pillow_does_not_convert_at_once(mode: str) -> None:
    picture = Image.new(mode, (5, 4))
    assert [decode_all([picture], (4, 5), channels)[0].shape for channels in (1, 3)] == [(1, 1, 4, 5), (1, 3, 4, 5)]
