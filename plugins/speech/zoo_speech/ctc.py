"""Connectionist temporal classification: which texts frames of logits stand for (Graves et al., 2006)."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

import zoo

BLANK = 0
_UNLIKELY = math.log(1e-4)
"""Letters below this are not looked at by the beam search."""


class Letter(NamedTuple):
    """A letter by its place among the classes, and the frames that it was heard in, the last one not included."""

    place: int
    start: int
    end: int


def greedy(logits: Tensor, length: int) -> list[Letter]:
    """Return the letters of the most probable path through frames (frames, classes)."""
    found: list[Letter] = []
    before = BLANK
    for frame, place in enumerate(logits[:length].argmax(1).tolist()):
        if place == before and place != BLANK:
            found[-1] = found[-1]._replace(end=frame + 1)
        elif place != BLANK:
            found.append(Letter(place, frame, frame + 1))
        before = place
    return found


def beam_search(logits: Tensor, length: int, beams: int) -> tuple[int, ...]:
    """Return the places of the letters of the most probable text, summed over its paths, as far as `beams` texts tell.

    A text is a prefix with the log-probability of its paths that end in blank, and of those that end in its letter.
    """
    frames = logits[:length].double().log_softmax(1)
    likely = [
        [(place, frame[place].item()) for place in (frame > _UNLIKELY).nonzero()[:, 0].tolist()] for frame in frames
    ]
    kept: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -math.inf)}
    for frame in likely:
        grown: dict[tuple[int, ...], tuple[float, float]] = {}

        def add(prefix: tuple[int, ...], blank: float, letter: float, grown: dict = grown) -> None:  # type: ignore[type-arg]
            old = grown.get(prefix, (-math.inf, -math.inf))
            grown[prefix] = (_log_add(old[0], blank), _log_add(old[1], letter))

        for prefix, (blank, letter) in kept.items():
            both = _log_add(blank, letter)
            for place, chance in frame:
                if place == BLANK:
                    add(prefix, both + chance, -math.inf)
                elif prefix and place == prefix[-1]:
                    add(prefix, -math.inf, letter + chance)
                    add((*prefix, place), -math.inf, blank + chance)
                else:
                    add((*prefix, place), -math.inf, both + chance)
        kept = dict(sorted(grown.items(), key=lambda item: -_log_add(*item[1]))[:beams])
    return max(kept, key=lambda prefix: _log_add(*kept[prefix]))


def spoken(places: Sequence[int], letters: Sequence[str]) -> str:
    """Return places among classes as text."""
    return "".join(letters[place - 1] for place in places)


def words_of(found: Sequence[Letter], letters: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return the words with their first frame and the one behind their last."""
    words: list[tuple[str, int, int]] = []
    begun = False
    for letter in found:
        text = letters[letter.place - 1]
        if text.isspace():
            begun = False
        elif begun:
            word, start, _ = words[-1]
            words[-1] = (word + text, start, letter.end)
        else:
            words.append((text, letter.start, letter.end))
            begun = True
    return words


def _log_add(a: float, b: float) -> float:
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))


def ctc_loss(logits: Tensor, lengths: Tensor, targets: Tensor, target_lengths: Tensor) -> Tensor:
    """Return the mean over clips of the loss for each letter; what has more letters than frames counts for nothing."""
    log_probs = logits.float().log_softmax(2).transpose(0, 1)
    losses = torch.nn.functional.ctc_loss(
        log_probs, targets, lengths, target_lengths, BLANK, reduction="none", zero_infinity=True
    )
    return (losses / target_lengths.clamp(min=1)).mean()


def check_room(lengths: Tensor, targets: Tensor, target_lengths: Tensor) -> None:
    """Raise TrainingError where most texts have more letters than frames: nothing would be learnt from them.

    Of two letters that are the same a blank must lie between.
    """
    places = torch.arange(targets.shape[1] - 1, device=targets.device)
    twice = (targets[:, 1:] == targets[:, :-1]) & (places + 1 < target_lengths[:, None])
    short = target_lengths + twice.sum(1) > lengths
    if int(short.sum()) * 2 > len(short):
        raise zoo.TrainingError(
            f"{int(short.sum())} of {len(short)} texts have more letters ({int(target_lengths.sum()):,}) than there "
            f"are frames ({int(lengths.sum()):,}) to hear them in; take a model that keeps more frames: tc_resnet_8 "
            "with --arg reduction=2, or bc_resnet_1"
        )
