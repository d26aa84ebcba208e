"""Vectors in parts: what was killed goes on with what is there and ends with the same bytes; memory is one part's."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import zoo
from zoo.cli import run
from zoo.errors import IntegrityError, NotFoundError, PluginError, UsageError
from zoo.inference.embedding.parts import Plan, read_manifest, read_parts, write_parts

Weights = Callable[..., Path]


class Counting:
    """Makes vectors of numbers, and remembers how many were asked for at once."""

    modality = "number"

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, items: Sequence[int], *, batch_size: int = 0, normalize: bool = False) -> torch.Tensor:
        self.asked.append(len(items))
        return torch.tensor([[item, item * item, 1.0] for item in items])


def plan(rows: int = 10, **changed: Any) -> Plan:
    samples = zoo.Samples(items=range(rows), names=[f"n{row}" for row in range(rows)], fingerprint=f"{rows}")
    return Plan(**{"embed": Counting(), "samples": samples, "weights": "w", "part_size": 4, **changed})


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_parts_and_a_manifest_that_others_read(tmp_path: Path) -> None:
    done: list[int] = []
    assert write_parts(plan(), tmp_path / "out", done.append)
    assert sum(done) == 10
    assert sorted(contents(tmp_path / "out")) == ["manifest.json", *(f"part-0000{n}.safetensors" for n in range(3))]
    assert load_file(tmp_path / "out" / "part-00002.safetensors")["embeddings"].tolist() == [[8, 64, 1], [9, 81, 1]]
    manifest = read_manifest(tmp_path / "out")
    assert (manifest.rows, manifest.features, manifest.modality) == (10, 3, "number")
    for part in manifest.parts:
        assert hashlib.sha256((tmp_path / "out" / part.file).read_bytes()).hexdigest() == part.sha256
    assert [name for part in read_parts(tmp_path / "out") for name in part.names] == [f"n{row}" for row in range(10)]


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    write_parts(plan(), tmp_path / "whole", lambda _: None)
    again = Counting()
    assert not write_parts(plan(embed=again), tmp_path / "whole", lambda _: None)
    assert again.asked == []
    shutil.copytree(tmp_path / "whole", tmp_path / "half")
    for name in ("manifest.json", "part-00001.safetensors"):
        (tmp_path / "half" / name).unlink()
    with pytest.raises(NotFoundError, match="are not finished; go on with the same command"):
        list(read_parts(tmp_path / "half"))
    assert write_parts(plan(embed=again), tmp_path / "half", lambda _: None)
    assert again.asked == [4]
    assert contents(tmp_path / "half") == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    "changed", [{"rows": 9}, {"weights": "v"}, {"normalize": True}, {"part_size": 5}, {"part_size": 20}]
)
def test_other_vectors_are_kept_unless_forced(tmp_path: Path, changed: dict[str, Any]) -> None:
    write_parts(plan(), tmp_path / "out", lambda _: None)
    (tmp_path / "out" / "notes.txt").write_text("mine")
    before = contents(tmp_path / "out")
    with pytest.raises(UsageError, match="choose another --out, or replace them with --force"):
        write_parts(plan(**changed), tmp_path / "out", lambda _: None)
    assert contents(tmp_path / "out") == before
    write_parts(plan(**changed), tmp_path / "out", lambda _: None, force=True)
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"
    assert sum(part.rows for part in read_manifest(tmp_path / "out").parts) == changed.get("rows", 10)


def test_a_few_items_are_in_memory_at_a_time(tmp_path: Path) -> None:
    embed, alive = Counting(), 0
    most = 0

    class Item(int):
        def __new__(cls, value: int) -> "Item":
            nonlocal alive, most
            alive += 1
            most = max(most, alive)
            return super().__new__(cls, value)

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    class Items(Sequence[Item]):
        def __len__(self) -> int:
            return 3000

        def __getitem__(self, place: Any) -> Any:
            return Item(place)

    samples = zoo.Samples(items=Items(), names=[str(row) for row in range(3000)], fingerprint="f")
    write_parts(plan(embed=embed, samples=samples, part_size=1000), tmp_path / "out", lambda _: None)
    assert (max(embed.asked), sum(embed.asked)) == (256, 3000) and most <= 2 * 256


def test_what_is_broken_is_named(tmp_path: Path) -> None:
    write_parts(plan(), tmp_path / "out", lambda _: None)
    part = tmp_path / "out" / "part-00001.safetensors"
    part.write_bytes(part.read_bytes()[:-3])
    with pytest.raises(IntegrityError, match=r"part-00001.safetensors is no file of vectors"):
        write_parts(plan(), tmp_path / "out", lambda _: None)
    part.unlink()
    with pytest.raises(NotFoundError, match=r"no part-00001.safetensors in .*, which its manifest lists"):
        list(read_parts(tmp_path / "out"))
    manifest = tmp_path / "out" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("part-00000.safetensors", "../part.safetensors"))
    with pytest.raises(IntegrityError, match=r"'../part.safetensors', which is no file in its folder"):
        list(read_parts(tmp_path / "out"))


def test_a_plugin_that_gives_no_vectors_is_told(tmp_path: Path) -> None:
    class Wrong(Counting):
        def __call__(self, items: Sequence[int], **_: Any) -> torch.Tensor:
            return torch.zeros(len(items))

    with pytest.raises(PluginError, match=r"embedding 4 items of number data gave a tensor of shape \(4,\)"):
        write_parts(plan(embed=Wrong()), tmp_path / "out", lambda _: None)
    assert contents(tmp_path / "out") == {}


def test_killed_and_gone_on_with(
    weights: Weights, zoo_command: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = ["embed", str(weights()), "--data", "fashion_mnist_sample", "--split", "test", "--part-size", "100"]
    killed = tmp_path / "killed.safetensors.parts"
    died = zoo_command(*asked, "--out", str(tmp_path / "killed.safetensors"), ZOO_TEST_DIES_AFTER="6")
    assert died.returncode == -9  # two batches a part of 100: within the third part
    assert sorted(path.name for path in killed.iterdir()) == ["part-00000.safetensors", "part-00001.safetensors"]
    shutil.copytree(killed, tmp_path / "killed")
    shutil.copytree(killed, tmp_path / "killed.parquet.parts")
    import zoo_seer  # type: ignore[import-not-found]

    for name in ("killed", "killed.safetensors", "killed.parquet"):
        out, whole = tmp_path / name, tmp_path / name.replace("killed", "whole")
        zoo_seer.Seer.asked = 0
        assert run([*asked, "--out", str(out)]) == 0
        assert capsys.readouterr().out == f"500 img, 6 numbers each  {out}\n"
        assert zoo_seer.Seer.asked == 6  # of ten
        assert run([*asked, "--out", str(whole)]) == 0
        assert zoo_seer.Seer.asked == 16
        assert (contents(out) == contents(whole)) if out.is_dir() else (out.read_bytes() == whole.read_bytes())
        assert not out.with_name(f"{name}.parts").exists()
        capsys.readouterr()
        assert run([*asked, "--out", str(out)]) == 0
        assert capsys.readouterr().out == f"500 img, 6 numbers each  {out}  (done before)\n"
        assert zoo_seer.Seer.asked == 16


def test_processes_share_the_parts_and_the_last_one_writes_the_manifest(tmp_path: Path) -> None:
    write_parts(plan(rows=22), tmp_path / "alone", lambda _: None)
    asked = []
    for rank in (2, 0, 1):
        assert not (tmp_path / "out" / "manifest.json").exists()
        embed = Counting()
        assert write_parts(plan(rows=22, embed=embed, rank=rank, world_size=3), tmp_path / "out", lambda _: None)
        asked.append(sum(embed.asked))
    assert asked == [4 + 2, 4 + 4, 4 + 4], "each part is made once"
    assert contents(tmp_path / "out") == contents(tmp_path / "alone")
    with pytest.raises(UsageError, match="--force would remove what other processes write"):
        write_parts(plan(rank=1, world_size=3), tmp_path / "out", lambda _: None, force=True)


def test_processes_that_were_killed_go_on_as_another_number(
    weights: Weights, zoo_command: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = ["embed", str(weights()), "--data", "fashion_mnist_sample", "--split", "test"]
    parts, out = ["--part-size", "100"], tmp_path / "shared"
    died = zoo_command(*asked, *parts, "--out", str(out), "--processes", "2", ZOO_TEST_DIES_AFTER="3")
    assert died.returncode == 9 and "was killed" in died.stderr
    assert not (out / "manifest.json").exists()
    for folder in (out, tmp_path / "alone"):
        assert run([*asked, *parts, "--out", str(folder)]) == 0
    assert contents(out) == contents(tmp_path / "alone")
    assert run([*asked, "--out", str(tmp_path / "one.safetensors"), "--processes", "2"]) == 2
    assert "one.safetensors is one file; give --out DIR" in capsys.readouterr().err
    assert run([*asked, "--processes", "2"]) == 2
    assert "2 processes write a folder of parts; give --out DIR" in capsys.readouterr().err


def test_a_vector_with_nan_is_an_error_that_names_the_item() -> None:
    def embed(items: Sequence[int], **_: Any) -> torch.Tensor:
        return torch.tensor([[item, torch.nan if item == 3 else 1.0] for item in items])

    embed.modality = "number"  # type: ignore[attr-defined]
    with pytest.raises(IntegrityError, match="n3 becomes a vector with NaN or infinity: the weights are broken"):
        plan(embed=embed).vectors(range(10), lambda _: None)
