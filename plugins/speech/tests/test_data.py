"""Sounds of every kind are read right, or named in one line."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from zoo_speech.cached import decoded
from zoo_speech.clips import contents_of, fixed
from zoo_speech.decoding import Encoded, Recorded, as_16_bits, read
from zoo_speech.folders import open_folder
from zoo_speech.fsdd import fsdd, fsdd_strings

import zoo

RATE = 8000
TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_wave_files_of_every_width(tmp_path: Path, subtype: str) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, RATE, subtype=subtype)
    off = np.abs(read(tmp_path / "a.wav", RATE) - TONE).max()
    assert off < {"PCM_U8": 0.01, "ULAW": 0.02}.get(subtype, 1e-4)


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.mp3"])
def test_compressed_files(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / name, TONE, 16_000)
    found = read(tmp_path / name, 16_000)
    assert abs(len(found) - len(TONE)) < 2400 and 0.4 < np.abs(found).max() < 0.6
    same = read(Encoded("row 3", (tmp_path / name).read_bytes()), 16_000)
    assert np.array_equal(found, same)


def test_channels_are_averaged_and_rates_changed(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([TONE, 0 * TONE], 1), RATE)
    found = read(tmp_path / "a.wav", 16_000)
    assert abs(len(found) - 16_000) <= 1
    expected = 0.25 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    assert np.abs(found[500:-500] - expected[500 : len(found) - 500]).max() < 1e-3


def test_silence_and_one_sample_are_sounds(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(100), RATE)
    soundfile.write(tmp_path / "short.wav", np.ones(1) / 2, 48_000)
    assert not read(tmp_path / "silent.wav", RATE).any() and len(read(tmp_path / "short.wav", RATE)) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is an empty file"), (b"hello" * 99, "is no sound file"), (None, "cannot be read: No such file")],
)
def test_what_is_no_sound_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "a.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(zoo.DataError, match=f"a.wav {said}"):
        read(path, RATE)


def test_a_file_that_breaks_off_is_named(tmp_path: Path) -> None:
    for name in ("a.wav", "a.flac"):
        soundfile.write(tmp_path / name, TONE, RATE)
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:3001])
        with pytest.raises(zoo.DataError, match=f"{name} breaks off.*get a fresh copy"):
            read(tmp_path / name, RATE)


def test_a_wave_file_whose_length_was_never_written_is_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, RATE)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[4:8] = content[40:44] = struct.pack("<I", 0xFFFFFFFF)
    assert len(read(Encoded("piped", bytes(content)), RATE)) == len(TONE)


def test_nothing_and_no_numbers_are_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(0), RATE)
    with pytest.raises(zoo.DataError, match="a.wav holds no sound"):
        read(tmp_path / "a.wav", RATE)
    with pytest.raises(zoo.DataError, match="this array holds samples that are no numbers"):
        read(Recorded("this array", np.array([0.0, np.nan], np.float32), RATE), RATE)


def test_16_bits_come_back_as_they_were() -> None:
    samples = np.array([-32768, -1, 0, 1, 32767], np.int16)
    assert np.array_equal(as_16_bits(read(Recorded("a", samples, RATE), RATE)), samples)
    assert as_16_bits(np.array([2.0, -2.0], np.float32)).tolist() == [32767, -32768]


def test_sounds_are_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, RATE)
    first = decoded("key", {"train": [tmp_path / "a.wav"]}, RATE)["train"]
    (tmp_path / "a.wav").unlink()
    again = decoded("key", {"train": [tmp_path / "a.wav"]}, RATE)["train"]
    assert np.array_equal(first.values, again.values) and again.starts.tolist() == [0, RATE]


def test_long_clips_are_cut_to_their_middle_and_short_ones_padded() -> None:
    waves, lengths = torch.tensor([[1, 2, 3, 4, 5], [6, 7, 0, 0, 0]]), torch.tensor([5, 2])
    found, kept = fixed(waves, lengths, 3)
    assert found.tolist() == [[2, 3, 4], [6, 7, 0]] and kept.tolist() == [3, 2]
    assert fixed(waves, lengths, 7)[0].shape == (2, 7)


def write(folder: Path, names: dict[str, int]) -> Path:
    for place, (name, length) in enumerate(names.items()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, TONE[: length + place], RATE)
    return folder


def labels(clips: Any) -> dict[str, list[tuple[str, str | None]]]:
    return {name: sorted((clip.source.name, clip.label) for clip in part) for name, part in clips.splits.items()}


def test_folders_by_split_and_class(tmp_path: Path) -> None:
    folder = write(tmp_path, {"train/a/1.wav": 50, "train/b/2.wav": 50, "test/a/3.wav": 50, "valid/b/4.flac": 50})
    assert labels(open_folder(folder)) == {
        "train": [("1.wav", "a"), ("2.wav", "b")],
        "test": [("3.wav", "a")],
        "validation": [("4.flac", "b")],
    }


def test_folders_by_class_are_split_by_contents(tmp_path: Path) -> None:
    folder = write(tmp_path, {f"{label}/{place}.wav": 90 for label in "ab" for place in range(5)})
    found = labels(open_folder(folder))
    assert {name: len(part) for name, part in found.items()} == {"train": 8, "test": 2}
    assert {label for _, label in found["test"]} == {"a", "b"}


def test_speech_commands_is_split_by_its_lists(tmp_path: Path) -> None:
    names = ("yes/a_nohash_0.wav", "no/b_nohash_0.wav", "no/c_nohash_1.wav", "_background_noise_/hum.wav")
    folder = write(tmp_path, {name: 90 for name in names})
    (folder / "validation_list.txt").write_text("no/b_nohash_0.wav\n")
    (folder / "testing_list.txt").write_text("no/c_nohash_1.wav\n")
    clips = open_folder(folder)
    assert labels(clips) == {
        "train": [("a_nohash_0.wav", "yes")],
        "validation": [("b_nohash_0.wav", "no")],
        "test": [("c_nohash_1.wav", "no")],
    }
    assert clips.splits["train"][0].speaker == "a"


def test_tables(tmp_path: Path) -> None:
    folder = write(tmp_path, {f"{place}.wav": 90 for place in range(3)})
    (folder / "metadata.csv").write_text("file,text,split\n0.wav,one two,train\n1.wav,two,train\n2.wav,one,test\n")
    clips = open_folder(folder)
    assert [clip.text for clip in clips.splits["train"]] == ["one two", "two"] and len(clips.splits["test"]) == 1


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("name,label\na.wav,x\n", "has the columns name, label; it needs file"),
        ("file,label\n../a.wav,x\n", "line 2 of .* which is outside"),
        ("file,label\nb.wav,x\n", "line 2 of .* lists b.wav, which does not exist"),
        ("file,label\na.wav,\n", "line 2 of .* has no label"),
        ("file,label,split\na.wav,x,often\n", "has the split 'often'"),
        ("file,label\n", "has no lines"),
    ],
)
def test_tables_that_are_wrong_are_named(tmp_path: Path, table: str, said: str) -> None:
    folder = write(tmp_path, {"a.wav": 90})
    (folder / "metadata.csv").write_text(table)
    with pytest.raises(zoo.DataError, match=said):
        open_folder(folder)


def test_contents_tell_clips_apart(tmp_path: Path) -> None:
    folder = write(tmp_path, {"a/1.wav": 90, "a/2.wav": 90, "b/1.wav": 90, "b/2.wav": 90})
    before = open_folder(folder)
    assert contents_of(before.splits, folder) == before.contents == open_folder(folder).contents
    write(folder, {"a/1.wav": 80})
    assert open_folder(folder).contents != before.contents


@pytest.mark.skipif("ZOO_DATA" not in __import__("os").environ, reason="needs real recordings: set ZOO_DATA")
def test_fsdd() -> None:
    clips = fsdd(None)
    assert {name: len(part) for name, part in clips.splits.items()} == {"train": 600, "test": 300}
    held_out = clips.without("theo")
    assert {name: len(part) for name, part in held_out.splits.items()} == {"train": 500, "test": 150}
    first, again = fsdd_strings(None), fsdd_strings(None)
    assert first.contents == again.contents and len(first.splits["train"]) == 2000
    assert 2 <= len((first.splits["test"][0].text or "").split()) <= 6
