"""Which frames are hidden, and which others they are told from."""

import torch
from zoo_speech.wav2vec2_pretraining import Quantizer, others, spans

RANDOM = torch.Generator().manual_seed(0)


def test_spans_are_hidden_within_clips() -> None:
    noise, lengths = torch.rand(6, 50, generator=RANDOM), torch.tensor([50, 20, 3, 1, 50, 50])
    hidden = spans(noise, lengths, 0.065, 10)
    assert hidden.any(1).all() and not (hidden & (torch.arange(50) >= lengths[:, None])).any()
    begins = (noise < 0.065) & (torch.arange(50) < lengths[:, None])
    for row, begin in begins.nonzero().tolist():
        assert hidden[row, begin : min(begin + 10, int(lengths[row]))].all()
    assert spans(torch.ones(1, 50), torch.tensor([50]), 0.065, 10).sum() > 0  # one at least


def test_others_are_hidden_frames_of_the_same_clip_but_not_the_frame_itself() -> None:
    hidden = torch.rand(4, 30, generator=RANDOM) < 0.4
    hidden[3] = False
    hidden[3, 7] = True  # has no other
    found = others(torch.rand(4, 30, 20, generator=RANDOM), hidden)
    for row, frame in hidden.nonzero().tolist():
        places = found[row, frame]
        assert hidden[row, places].all()
        assert (places != frame).all() or row == 3
    assert len(found[0, hidden[0]].unique()) == hidden[0].sum()  # each of them is drawn


def test_codes_are_of_the_tables_and_learn_when_they_are_drawn() -> None:
    quantizer = Quantizer(6, 2, 5, 8)
    frames = torch.randn(3, 4, 6, generator=RANDOM)
    codes, probabilities = quantizer(frames, None, 1.0)
    tables = quantizer.codevectors[0].view(2, 5, 4)
    places = quantizer.weight_proj(frames).view(3, 4, 2, 5).argmax(3)
    assert torch.equal(codes[1, 2], torch.cat([tables[0, places[1, 2, 0]], tables[1, places[1, 2, 1]]]))
    assert torch.equal(probabilities.sum(3), torch.ones(3, 4, 2))
    drawn, _ = quantizer(frames, torch.rand(3, 4, 10, generator=RANDOM), 1.0)
    drawn.square().sum().backward()
    assert quantizer.weight_proj.weight.grad is not None and quantizer.weight_proj.weight.grad.abs().sum() > 0
