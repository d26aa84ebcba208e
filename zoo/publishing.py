"""Push a run or a weights folder: check it as a reader would, put the repo's name into its card, send one commit."""

import os
import shutil
import tempfile
from pathlib import Path

from zoo.card import card_for
from zoo.hub.push import push_folder
from zoo.hub.records import PushedRepo
from zoo.paths import storage_errors
from zoo.sources import weights_of
from zoo.weights.config import read_config
from zoo.weights.stored import stored_tensors


def push_weights(
    source: Path,
    repo: str,
    *,
    hub: str | Path | None,
    private: bool,
    tag: str | None,
    message: str | None,
    progress: bool,
) -> PushedRepo:
    """Push what a run has exported, or a weights folder, in one commit.

    Raise IntegrityError before anything is sent when config.json or the tensors' header are broken.
    """
    folder = weights_of(source)
    block = read_config(folder)
    stored_tensors(folder)
    with storage_errors("preparing the push"), tempfile.TemporaryDirectory(prefix="zoo-push-") as temporary:
        staged = Path(temporary) / "repo"
        shutil.copytree(folder, staged, copy_function=_link)
        if (card := staged / "README.md").is_file():
            text = card.read_text(encoding="utf-8")
            card.unlink()  # it may be a link to the run's own file
            card.write_text(card_for(text, repo), encoding="utf-8")
        return push_folder(
            staged,
            repo,
            hub=hub,
            message=message or f"Push {block.architecture}",
            private=private,
            tag=tag,
            progress=progress,
        )


def _link(source: str, target: str) -> None:
    """Link a file rather than copy it, where the file system can."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copyfile(source, target)
