"""Make the pictures of docs/hub.md: serve a Hub's folder and let a headless Chromium look at its pages.

python docs/screenshots.py FOLDER          # a Hub's folder, such as demo/hub after `make demo`
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image

from zoo.hub.server.serving import serve_folder

OUT = Path(__file__).with_name("hub")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --force-device-scale-factor=1"
).split()


def shoot(url: str, name: str, size: tuple[int, int], dark: bool = False) -> None:
    """Write one picture."""
    with tempfile.TemporaryDirectory() as profile:
        target = OUT / f"{name}.png"
        look = ["--blink-settings=preferredColorScheme=0"] if dark else ["--blink-settings=preferredColorScheme=1"]
        command = [shutil.which("chromium") or "chromium", *FLAGS, *look, f"--user-data-dir={profile}"]
        command += [f"--window-size={size[0]},{size[1]}", f"--screenshot={target}", "--virtual-time-budget=3000", url]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    with Image.open(target) as picture:
        picture.convert("RGB").quantize(128).save(target, optimize=True)
    print(target, target.stat().st_size)


def main() -> None:
    OUT.mkdir(exist_ok=True)
    with serve_folder(Path(sys.argv[1])) as hub:
        from huggingface_hub import HfApi

        api = HfApi(endpoint=hub.url, token=hub.token)
        repo = next(iter(api.list_models(sort="created_at", limit=1))).id if len(sys.argv) < 3 else sys.argv[2]
        api.update_repo_settings(repo, private=False)
        shoot(f"{hub.url}/", "models", (1200, 720))
        shoot(f"{hub.url}/{repo}", "model", (1200, 1000))
        shoot(f"{hub.url}/{repo}", "model-dark", (1200, 1000), dark=True)
        shoot(f"{hub.url}/{repo}", "model-phone", (500, 1000))
        shoot(f"{hub.url}/{repo}/tree/main", "files", (1200, 560))
        shoot(f"{hub.url}/{repo}/commits/main", "history", (1200, 480))
        newest, *older = api.list_repo_commits(repo)
        if len(older) > 1:  # the last of them is empty
            sides = urlencode(
                {"before": f"{repo}@{older[0].commit_id}", "after": f"{repo}@{newest.commit_id}", "values": 1}
            )
            shoot(f"{hub.url}/compare?{sides}", "compare", (1200, 1000))


if __name__ == "__main__":
    main()
