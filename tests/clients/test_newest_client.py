"""The newest huggingface_hub, unmodified, asks everything that it can; older ones: `make test-clients`."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from zoo.hub.server import rebuild

SCRIPT = Path(__file__).with_name("whole_script.py")


@pytest.mark.parametrize("disable_xet", ["0", "1"])
def test_the_whole_script(served_hub: Any, tmp_path: Path, disable_xet: str) -> None:
    environment = {
        **os.environ,
        "HF_ENDPOINT": served_hub.url,
        "HF_TOKEN": served_hub.token,
        "HF_HOME": str(tmp_path / "hf"),
        "NO_PROXY": "127.0.0.1,localhost",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": disable_xet,
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "ZOO_CLIENT_BYTES": "400000",
    }
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "work"], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all steps passed\n")


def test_a_file_that_takes_long_to_build(served_hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client reads every line of what is said meanwhile, and gives up at one that it does not know."""
    monkeypatch.setattr("zoo.hub.server.routes_xet._ALIVE_SECONDS", 0.01)
    monkeypatch.setattr("zoo.hub.server.rebuild._build", slowly(rebuild._build))
    code = (
        "import sys; from huggingface_hub import HfApi; api = HfApi(); api.create_repo('org/thing'); "
        "api.upload_file(path_or_fileobj=sys.argv[1], path_in_repo='a.bin', repo_id='org/thing')"
    )
    (tmp_path / "a.bin").write_bytes(os.urandom(2_000_000))
    environment = {
        **os.environ,
        "HF_ENDPOINT": served_hub.url,
        "HF_HOME": str(tmp_path / "hf"),
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a.bin"], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def slowly(build: Any) -> Any:
    def wait_and_build(*arguments: Any) -> None:
        time.sleep(0.5)
        build(*arguments)

    return wait_and_build
