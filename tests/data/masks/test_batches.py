"""Masks travel with their pictures through every tier, and whatever lies in a folder ends in data or in one error."""

from pathlib import Path

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.data.masks.folder import open_mask_folder
from zoo.errors import DataError


def test_every_tier_gives_the_same_masks(street: Path) -> None:
    found = []
    for undecoded, stream in ((False, False), (False, True), (True, True)):
        split = open_mask_folder(street, stream=undecoded).splits["train"]
        batches = split.batches(
            stream=stream,
            batch_size=2,
            seed=1,
            shuffle=True,
            drop_last=True,
            device=torch.device("cpu"),
            workers=1 if undecoded else None,
        )
        found.append([(batch["images"], batch["masks"]) for batch in batches.epoch(0)])
    for other in found[1:]:
        for (images, masks), (their_images, their_masks) in zip(found[0], other, strict=True):
            assert masks.dtype == torch.uint8 and torch.equal(masks, their_masks) and torch.equal(images, their_images)


def test_held_out_masks_stay_with_their_pictures(street: Path) -> None:
    whole = open_mask_folder(street)
    held = whole.hold_out(0.25, seed=0)
    image, mask = held.splits["validation"].images[np.array([0])][0], held.splits["validation"].targets["masks"][0]
    train = whole.splits["train"]
    place = next(i for i in range(4) if np.array_equal(train.images[np.array([i])][0], image))
    assert np.array_equal(train.targets["masks"][place], mask)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mask=st.one_of(st.none(), st.binary(max_size=200)),
    names=st.one_of(st.none(), st.binary(max_size=60), st.just(b"sky\nvoid\nroad\ncar\n")),
    listed=st.one_of(st.none(), st.text(max_size=60), st.just("train/train1.png trainannot/train1.png\n")),
)
def test_091_094_whatever_lies_there_is_read_or_refused(
    street: Path, mask: bytes | None, names: bytes | None, listed: str | None
) -> None:
    kept = {path: path.read_bytes() for path in (street / "trainannot" / "train1.png", street / "classes.txt")}
    try:
        for path, content in zip(kept, (mask, names), strict=True):
            if content is not None:
                path.write_bytes(content)
        if listed is not None:
            (street / "train.txt").write_text(listed, encoding="utf-8")
        try:
            dataset = open_mask_folder(street, skip_bad=1)
        except DataError as error:
            assert str(error)
            return
        for split in dataset.splits.values():
            values = set(np.unique(split.targets["masks"]).tolist()) - {255}
            assert values <= set(range(len(dataset.classes)))
    finally:
        for path, content in kept.items():
            path.write_bytes(content)
        (street / "train.txt").unlink(missing_ok=True)
