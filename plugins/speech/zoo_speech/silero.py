"""Silero VAD at 16 kHz: how probable speech is in each 32 ms, as its authors publish it (Silero Team, MIT)."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RATE = 16_000
CHUNK, CONTEXT = 512, 64
"""Samples that are judged at once, and those before them that are seen with them."""
_FFT, _HOP, _WIDTH = 256, 128, 128


class Heard(NamedTuple):
    """What is kept of the sound so far: its last samples, and the state of the LSTM."""

    context: Tensor
    hidden: Tensor
    cell: Tensor


class SileroVAD(nn.Module):
    """Waves (batch, samples) of 16 kHz to probabilities of speech (batch, chunks); the last chunk is padded."""

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, _FFT + 2, _FFT, _HOP, bias=False)
        self.conv1 = nn.Conv1d(_FFT // 2 + 1, 128, 3, 1, 1)
        self.conv2 = nn.Conv1d(128, 64, 3, 2, 1)
        self.conv3 = nn.Conv1d(64, 64, 3, 2, 1)
        self.conv4 = nn.Conv1d(64, _WIDTH, 3, 1, 1)
        self.lstm_cell = nn.LSTMCell(_WIDTH, _WIDTH)
        self.final_conv = nn.Conv1d(_WIDTH, 1, 1)

    def start(self, batch: int, like: Tensor) -> Heard:
        """Return the state of silence."""
        return Heard(like.new_zeros(batch, CONTEXT), *(like.new_zeros(batch, _WIDTH) for _ in range(2)))

    def forward(self, waves: Tensor) -> Tensor:
        waves = F.pad(waves, (0, -waves.shape[1] % CHUNK))
        return self.listen(waves, self.start(len(waves), waves))[0]

    def listen(self, waves: Tensor, heard: Heard) -> tuple[Tensor, Heard]:
        """Return probabilities for whole chunks that follow what was heard, and what is heard then."""
        batch = len(waves)
        known = torch.cat([heard.context, waves], 1)
        chunks = known.unfold(1, CONTEXT + CHUNK, CHUNK)
        x = F.pad(chunks.flatten(0, 1)[:, None], (0, CONTEXT), "reflect")
        real, imaginary = self.stft_conv(x).chunk(2, 1)
        x = (real.square() + imaginary.square()).sqrt()
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = layer(x).relu()
        x = x.squeeze(2).unflatten(0, (batch, -1))
        cell = self.lstm_cell
        weights = [cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh]
        states, hidden, memory = torch.lstm(  # all chunks in one call
            x, [heard.hidden[None], heard.cell[None]], weights, True, 1, 0.0, False, False, True
        )
        found = self.final_conv(states.relu().transpose(1, 2))[:, 0].sigmoid()
        return found, Heard(known[:, -CONTEXT:], hidden[0], memory[0])


def spans(
    probabilities: Iterable[float],
    samples: int,
    *,
    threshold: float = 0.5,
    min_speech: float = 0.25,
    min_silence: float = 0.1,
    padding: float = 0.03,
) -> list[tuple[int, int]]:
    """Return the first sample of each span of speech and the one behind its last, as Silero's own code finds them.

    A span begins at `threshold` and ends where `min_silence` seconds lie 0.15 below it; shorter ones than `min_speech`
    are left out, and the rest grow by `padding` at both ends.
    """
    found = list(_bare_spans(probabilities, samples, threshold, min_speech * RATE, min_silence * RATE))
    pad = padding * RATE
    grown: list[list[int]] = [list(span) for span in found]
    for place, span in enumerate(grown):
        if place == 0:
            span[0] = int(max(0, span[0] - pad))
        if place == len(grown) - 1:
            span[1] = int(min(samples, span[1] + pad))
            continue
        after = grown[place + 1]
        silence = after[0] - span[1]
        if silence < 2 * pad:
            span[1] += silence // 2
            after[0] = max(0, after[0] - silence // 2)
        else:
            span[1] = int(min(samples, span[1] + pad))
            after[0] = int(max(0, after[0] - pad))
    return [(start, end) for start, end in grown]


def _bare_spans(
    probabilities: Iterable[float], samples: int, threshold: float, min_speech: float, min_silence: float
) -> Iterator[tuple[int, int]]:
    low = max(threshold - 0.15, 0.01)
    start: int | None = None
    quiet = 0  # where silence began, 0 for no silence
    for place, probability in enumerate(probabilities):
        at = place * CHUNK
        if probability >= threshold:
            quiet = 0
            if start is None:
                start = at
        elif probability < low and start is not None:
            quiet = quiet or at
            if at - quiet >= min_silence:
                if quiet - start > min_speech:
                    yield start, quiet
                start, quiet = None, 0
    if start is not None and samples - start > min_speech:
        yield start, samples
