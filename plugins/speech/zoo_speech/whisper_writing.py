"""What Whisper writes of a sound, token by token, as transformers' greedy decoding does; by timestamps beyond 30 s."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

import zoo
from zoo_speech.beside import folder_of, read_file
from zoo_speech.whisper import Whisper

_RULES = "generation_config.json"
SECONDS_A_STEP = 0.02
"""How far apart timestamps are, and features of the encoder: two frames of a spectrogram."""
_STRIDE = 2
_LONGEST = 448
_NEVER = -torch.inf


class Rules(NamedTuple):
    """Which tokens mean what, and which are never written: what generation_config.json says."""

    start: int
    end: int
    never: tuple[int, ...]
    never_first: tuple[int, ...]
    languages: Mapping[str, int]
    transcribe: int | None
    untimed: int | None
    """The token behind which no timestamps are written; the first of these follows it in the vocabulary."""
    first_time: int | None
    longest: int

    def language(self, name: str) -> int:
        """Return the token of a language such as `de`. Raise UsageError where there is none."""
        code = name.strip().lower().removeprefix("<|").removesuffix("|>")
        known = self.languages.get(f"<|{code}|>")
        if known is None:
            codes = ", ".join(sorted(token.strip("<|>") for token in self.languages)[:8])
            has = f"these weights know {codes} …" if codes else "these weights know one language; leave it out"
            raise zoo.UsageError(f"language={name!r}; {has}")
        return known


def read_rules(place: Path, vocab_size: int) -> Rules:
    """Read what lies beside weights. Raise NotFoundError where nothing does, IntegrityError for what is no token."""
    said = read_file(folder_of(place), _RULES)
    if not said:
        raise zoo.NotFoundError(f"no {_RULES} beside {place}, which says where a text begins and ends; get it")

    def token(name: str, value: Any) -> int:
        if type(value) is not int or not 0 <= value < vocab_size:
            raise zoo.IntegrityError(
                f"{name} in {_RULES} beside {place} is no token of {vocab_size:,}; get a fresh copy"
            )
        return value

    def several(name: str, kind: type) -> Any:
        found = said.get(name) or kind()
        if not isinstance(found, kind):
            raise zoo.IntegrityError(f"{name} in {_RULES} beside {place} is no {kind.__name__}; get a fresh copy")
        return found

    def tokens(name: str) -> tuple[int, ...]:
        return tuple(token(name, value) for value in several(name, list))

    def optional(name: str) -> int | None:
        return None if said.get(name) is None else token(name, said[name])

    def by_name(name: str) -> dict[str, int]:
        return {key: token(name, value) for key, value in several(name, dict).items()}

    longest, first_time = said.get("max_length"), said.get("max_initial_timestamp_index")
    return Rules(
        start=token("decoder_start_token_id", said.get("decoder_start_token_id")),
        end=token("eos_token_id", said.get("eos_token_id")),
        never=tokens("suppress_tokens"),
        never_first=tokens("begin_suppress_tokens"),
        languages=by_name("lang_to_id") if said.get("is_multilingual", True) else {},
        transcribe=by_name("task_to_id").get("transcribe") if said.get("is_multilingual", True) else None,
        untimed=optional("no_timestamps_token_id"),
        first_time=first_time if type(first_time) is int and first_time >= 0 else None,
        longest=longest if type(longest) is int and longest > 0 else _LONGEST,
    )


class Segment(NamedTuple):
    """Tokens and the seconds that they are heard between."""

    start: float
    end: float
    tokens: list[int]


class Writer:
    """A model with its rules, of one language, or of whichever is heard first."""

    def __init__(self, model: Whisper, rules: Rules, language: str | None, *, timed: bool) -> None:
        if timed and rules.untimed is None:
            raise zoo.UsageError("these weights write no timestamps, by which longer sounds are cut; give up to 30 s")
        self.model, self.rules, self.timed = model, rules, timed
        self.language = None if language is None else rules.language(language)
        self._first_time = model.vocab_size if rules.untimed is None else rules.untimed + 1

    def write(self, spectrogram: Tensor) -> list[Segment]:
        """Return what is heard in a spectrogram (1, mels, frames) of any length, 30 s after 30 s."""
        window, at, found = _STRIDE * self.model.context, 0, list[Segment]()
        prompt: list[int] | None = None
        while at < spectrogram.shape[2]:
            frames = min(window, spectrogram.shape[2] - at)
            part = F.pad(spectrogram[:, :, at : at + frames], (0, window - frames))
            memory = self.model.forward_features(part)
            prompt = prompt or self._prompt(memory)
            segments, heard = self._segments(self._tokens(memory, prompt), frames)
            offset = at / _STRIDE * SECONDS_A_STEP
            found += [Segment(offset + start, offset + end, tokens) for start, end, tokens in segments]
            at += heard or frames  # one that ends where it began would be heard for ever
        return found

    def _prompt(self, memory: Tensor) -> list[int]:
        """Return the tokens that a text begins with, the language among them, which is told from what is heard."""
        rules, prompt = self.rules, [self.rules.start]
        if rules.languages and self.language is None:
            logits = self.model.write(torch.tensor([prompt], device=memory.device), memory)[0][0, -1]
            places = sorted(rules.languages.values())
            self.language = places[int(logits[places].argmax())]
        prompt += [token for token in (self.language, rules.transcribe) if token is not None]
        return prompt if self.timed or rules.untimed is None else [*prompt, rules.untimed]

    def _tokens(self, memory: Tensor, prompt: Sequence[int]) -> list[int]:
        """Return the most probable tokens one after the other, up to the end of the text, which is left out."""
        longest = min(self.rules.longest + len(prompt), self.model.text_context)
        written: list[int] = []
        given, kept = list(prompt), None
        while len(prompt) + len(written) < longest:
            logits, kept = self.model.write(torch.tensor([given], device=memory.device), memory, kept)
            token = int(self._allowed(logits[0, -1].float(), written).argmax())
            if token == self.rules.end:
                break
            written.append(token)
            given = [token]
        return written

    def _allowed(self, logits: Tensor, written: Sequence[int]) -> Tensor:
        """Return logits without what may not follow."""
        logits = logits.clone()
        if not written:
            logits[list(self.rules.never_first)] = _NEVER
        logits[list(self.rules.never)] = _NEVER
        return self._timed(logits, written) if self.timed else logits

    def _timed(self, logits: Tensor, written: Sequence[int]) -> Tensor:
        """Return logits that keep timestamps in pairs and in order, and write one where that is likelier than text."""
        first = self._first_time
        assert self.rules.untimed is not None
        logits[self.rules.untimed] = _NEVER
        is_time = [token >= first for token in written]
        ended = is_time[-1:] == [True] and is_time[-2:] != [True, True] and len(written) > 1
        if ended:
            logits[: self.rules.end] = _NEVER  # the end of a segment is followed by the begin of the next, or by none
        elif is_time[-1:] == [True]:
            logits[first:] = _NEVER
        if any(is_time):
            last = next(token for token, time in zip(reversed(written), reversed(is_time), strict=True) if time)
            logits[first : last if ended else last + 1] = _NEVER
        if not written:
            logits[:first] = _NEVER
            if self.rules.first_time is not None:
                logits[first + self.rules.first_time + 1 :] = _NEVER
        chances = logits.log_softmax(0)
        if chances[first:].logsumexp(0) > chances[:first].max():
            logits[:first] = _NEVER
        return logits

    def _segments(self, tokens: list[int], frames: int) -> tuple[list[Segment], int]:
        """Return the segments of a window with `frames`, and how many of these they are of."""
        first = self._first_time
        is_time = [token >= first for token in tokens]
        ends = [place + 1 for place in range(len(tokens) - 1) if is_time[place] and is_time[place + 1]]
        if not ends:
            last = next((token - first for token in reversed(tokens) if token >= first), 0) or frames / _STRIDE
            return [Segment(0.0, last * SECONDS_A_STEP, tokens)], frames
        whole = is_time[-2:] == [False, True]
        if whole:
            ends.append(len(tokens))
        else:
            ends[-1] += 1  # both timestamps of the last pair, behind which a segment is not finished
        found, begin = [], 0
        for place, end in enumerate(ends):
            part = tokens[begin:end]
            until = part[-2] if place == len(ends) - 1 and not whole else part[-1]
            found.append(Segment((part[0] - first) * SECONDS_A_STEP, (until - first) * SECONDS_A_STEP, part))
            begin = end
        return found, frames if whole else (tokens[begin - 2] - first) * _STRIDE
