"""push, pull, verify, registry and cache at a shell."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import install, make_weights

LIGHT = """
import sys
from zoo.cli import run
code = run(sys.argv[1:])
sys.exit("imported torch" if "torch" in sys.modules else code)
"""


@pytest.fixture
def shell(site: Any, tmp_path: Path, zoo_command: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs `zoo` beside weights of a tiny model and a Hub in a folder."""
    install(site)
    make_weights(tmp_path / "weights")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))

    def run(*arguments: str, code: int = 0) -> str:
        done = zoo_command(*arguments)
        assert done.returncode == code, done.stderr
        return str(done.stdout if code == 0 else done.stderr)

    return run


@pytest.mark.parametrize("arguments", [("cache", "ls"), ("registry", "search"), ("push", "--help"), ("verify", "-h")])
def test_light_commands_import_no_torch(arguments: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_whole_way_of_weights(shell: Any, tmp_path: Path) -> None:
    where = ("--hub", "hub")
    assert "would create me/tiny (public) on hub: 7 files" in shell(
        "push", "weights", "me/tiny", *where, "--public", "--dry-run"
    )
    assert not (tmp_path / "hub").exists()
    assert "choose its visibility: --private or --public" in shell("push", "weights", "me/tiny", *where, code=2)
    assert "pushed: me/tiny" in shell("push", "weights", "me/tiny", *where, "--public")
    assert "unchanged: me/tiny" in shell("push", "weights", "me/tiny", *where)
    assert "tiny.demo: me/tiny at" in shell("registry", "add", "me/tiny", "--name", "tiny.demo", *where)
    assert "tiny.demo: ok" in shell("registry", "check", *where)
    assert "registry.json" in shell("registry", "search", "tiny")
    assert "7 files verified" in shell("pull", "tiny.demo", "--lock", *where)
    assert "7 files verified" in shell("pull", "tiny.demo", "--locked", "--offline")
    assert "self-test  off by" in shell("verify", "tiny.demo", "--offline")
    (item,) = json.loads(shell("cache", "ls", "--json"))
    assert (item["name"], item["verified"]) == ("tiny.demo", True)
    assert "as they should be" in shell("cache", "verify", "tiny.demo")
    (blob,) = {path.resolve() for path in (tmp_path / "cache").glob("models--*/snapshots/*/model.safetensors")}
    content = blob.read_bytes()
    blob.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "changed on disk" in shell("cache", "verify", code=5)
    assert "7 files verified" in shell("pull", "tiny.demo", *where)
    assert blob.read_bytes() == content
    assert "would remove 1 commit" in shell("cache", "rm", "tiny.demo", "--dry-run")
    assert "removed 0 commits" in shell("cache", "prune")
    assert "removed 1 commit" in shell("cache", "rm", "tiny.demo")
    assert "not in the cache" in shell("pull", "tiny.demo", "--offline", code=3)
    assert "removed from" in shell("registry", "remove", "tiny.demo")
    assert "is not in the cache" in shell("cache", "rm", "tiny.demo", code=3)


@pytest.mark.parametrize("size", ["5", "GB", "0MB", "-1GB", "5XB"])
def test_051_shard_sizes_that_are_none(shell: Any, size: str) -> None:
    assert "is not a size" in shell("push", "weights", "me/tiny", "--max-shard-size", size, code=2)
