"""Verify weights that are here: bytes, tensors, self-test, form of the scores, signature."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from zoo.errors import IntegrityError
from zoo.hub.cache import Cache
from zoo.hub.partial import digests_of
from zoo.hub.records import PulledRepo, WantedFile
from zoo.printable import counted
from zoo.publishing.eval_results import check_results
from zoo.publishing.signing import check_signature, never_written
from zoo.specs.records import ModelSpec
from zoo.weights.config import read_config
from zoo.weights.find import WeightsQuery, locate
from zoo.weights.folder import broken_tensors, described_model, load_weights, stored_weights
from zoo.weights.selftest import SelfTest, replay


@dataclass(frozen=True)
class Verified:
    """What was found right. `hashed` counts files whose bytes were compared with the hashes they should have.

    `never_written` are signed files that are not here, since other programs would run them.
    """

    folder: Path
    hashed: int
    tensors: int
    selftest: SelfTest | None
    results: int
    signed: bool
    never_written: tuple[str, ...]


def verify_weights(source: str | Path, query: WeightsQuery, *, signature: Path | None, device: str | None) -> Verified:
    """Verify a name, an address, a run or a folder. Raise IntegrityError for the first thing that is wrong."""
    from zoo.engine.device import choose_device

    folder, pulled = locate(source, query)
    hashed = rehash(pulled) if pulled is not None else 0
    if signature is not None:
        check_signature(folder, signature)
    block = read_config(folder)
    spec = described_model(block, str(folder / "config.json"))
    model = load_weights(folder, block, device=choose_device(device or "cpu"))
    found = check_values(folder, model, spec)
    return Verified(
        folder,
        hashed,
        len(model.state_dict()),
        found,
        check_results(folder),
        signature is not None,
        never_written(folder),
    )


def check_values(folder: Path, model: nn.Module, spec: ModelSpec) -> SelfTest | None:
    """Look at every number of a folder's weights, and compute the self-test with the model that was loaded of them.

    Return how that went; None where there is no self-test. Raise IntegrityError for NaN, infinity or another output.
    """
    if broken := broken_tensors(stored_weights(folder).load()):
        raise IntegrityError(
            f"{folder} has NaN or infinity in {counted(len(broken), 'tensor')}, such as {broken[0]}; train again"
        )
    found = replay(folder, model, spec)
    if found is not None and found.first_off is not None:
        raise IntegrityError(
            f"{folder} fails its self-test at {found.first_off}: off by {found.worst:.2g}, "
            f"allowed {found.tolerance:.0e}; get a fresh copy or export it again"
        )
    return found


def rehash(pulled: PulledRepo) -> int:
    """Hash every file of a pulled repo again; return how many. Raise IntegrityError for one that has changed.

    A commit with a wrong file counts as not pulled from then on, so that the next pull puts it right.
    """
    for file in pulled.files:
        wanted = WantedFile(file.name, file.size, file.sha256, file.sha256)
        digests = digests_of(pulled.folder / file.name, wanted)
        if not digests.right():
            Cache(pulled.repo).forget(pulled.commit)
            raise IntegrityError(
                f"{file.name} of {pulled.repo} has sha256 {digests.sha256()}, not {file.sha256}: it changed on disk; "
                f"pull it again: zoo pull hf://{pulled.repo}@{pulled.commit}"
            )
    return len(pulled.files)
