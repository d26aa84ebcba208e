"""Pictures of the pages: of each task with small random weights, or of weights that are named.

PYTHONPATH=. python plugins/try/tests/screenshots.py --out DIR [TASK…]
PYTHONPATH=. python plugins/try/tests/screenshots.py --out DIR --weights WEIGHTS NAME=VALUE… | FILE…
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from test_browser import TASKS, given, opened, waited
from try_pages import page_of
from try_weights import weights_for

import zoo
from tests.hub.server.pages.conftest import Browser

_DONE = "/^[0-9.]+ s$/.test(document.querySelector('.buttons .status').textContent)"


def shoot(browser: Any, weights: Path, what: Any, out: Path, folder: Path) -> None:
    """Write a picture of the answered page at two widths."""
    with page_of(weights) as page:
        for width, height in ((1200, 640), (390, 1000)):
            browser.size(width, height)
            opened(browser, page.url)
            given(browser, what, folder)
            assert waited(browser, _DONE), browser.value("document.body.innerText")
            waited(browser, "[...document.images].every((image) => image.complete)")
            target = out / f"{weights.name}-{width}.png"
            target.write_bytes(browser.picture())
            with Image.open(target) as picture:
                picture.convert("RGB").quantize(128).save(target, optimize=True)
            print(target, target.stat().st_size)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--weights")
    parser.add_argument("what", nargs="*")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        browser = Browser(folder / "profile")
        try:
            if asked.weights:
                what: Any = dict(item.split("=", 1) for item in asked.what) if "=" in asked.what[0] else asked.what
                shoot(browser, Path(zoo.find_weights(asked.weights)), what, asked.out, folder)
            for task in asked.what or TASKS if not asked.weights else ():
                weights = weights_for(task, folder / task / "w")
                named = folder / "named" / task
                named.parent.mkdir(exist_ok=True)
                named.symlink_to(weights)
                shoot(browser, named, TASKS[task][0], asked.out, folder)
        finally:
            browser.close()


if __name__ == "__main__":
    sys.exit(main())
