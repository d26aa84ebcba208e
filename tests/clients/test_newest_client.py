"""The newest huggingface_hub, unmodified, asks everything that it can; older ones: `make test-clients`."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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
