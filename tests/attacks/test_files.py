"""Files that are almost right, for every reader of what a stranger wrote: read, or refused with a ZooError."""

import json
import subprocess
import sys
from pathlib import Path

from tests.attacks.scale import sample

EACH = sample(25)
MEMORY = 300_000_000


def test_spoilt_files() -> None:
    script = Path(__file__).with_name("file_readers.py")
    command = [sys.executable, str(script), "--each", str(EACH), "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, f"the process ended with {done.returncode}: {done.stderr[-2000:]}"
    found = json.loads(done.stdout.splitlines()[-1])
    print(found["counts"])
    assert not found["faults"], "\n".join(found["faults"])
    assert all(seen.get("read") for seen in found["counts"].values()), found["counts"]
    assert sum(sum(seen.values()) for seen in found["counts"].values()) >= 400
    assert found["grown"] < MEMORY
