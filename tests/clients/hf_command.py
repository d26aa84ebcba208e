"""The `hf` command, as people type it."""

import os
import subprocess
import sys
from pathlib import Path

folder = Path(sys.argv[1])
source = folder / "source"
source.mkdir(parents=True)
(source / "model.safetensors").write_bytes(os.urandom(2_000_000))
(source / "README.md").write_text("---\nlicense: mit\n---\n# Thing\n")


def hf(*arguments: str, fails: bool = False) -> str:
    done = subprocess.run(["hf", *arguments], capture_output=True, text=True)
    assert (done.returncode != 0) == fails, f"hf {' '.join(arguments)}: {done.stdout}{done.stderr}"
    print(f"  hf {' '.join(arguments[:3])}", flush=True)
    return done.stdout + done.stderr


if __name__ == "__main__":
    from importlib.metadata import version

    print(f"hf of huggingface_hub {version('huggingface_hub')}")
    assert "zoo" in hf("auth", "whoami")
    hf("repos", "create", "org/thing")
    hf("repos", "create", "org/thing", "--exist-ok")
    hf("upload", "org/thing", str(source))
    hf("upload", "org/thing", str(source / "README.md"), "notes/other.md")
    hf("repos", "tag", "create", "org/thing", "v1")
    assert "v1" in hf("repos", "tag", "list", "org/thing")
    hf("repos", "branch", "create", "org/thing", "dev")
    hf("repos", "settings", "org/thing", "--private")
    target = folder / "plain"
    hf("download", "org/thing", "--local-dir", str(target))
    for path in ("model.safetensors", "README.md"):
        assert (target / path).read_bytes() == (source / path).read_bytes()
    hf("download", "org/thing", "--revision", "v1")
    assert "org/thing" in hf("cache", "ls")
    hf("cache", "verify", "org/thing", "--revision", "v1")
    assert "org/thing" in hf("models", "ls", "--format", "json")
    assert "org/thing" in hf("models", "info", "org/thing")
    hf("download", "org/none", fails=True)
    hf("repos", "branch", "delete", "org/thing", "dev")
    hf("repos", "delete", "org/thing", "--yes") if "--yes" in hf("repos", "delete", "--help") else hf(
        "repos", "delete", "org/thing"
    )
    print("all steps passed")
