"""What frames of logits stand for."""

import itertools
import math

import pytest
import torch
from zoo_speech.ctc import beam_search, check_room, ctc_loss, greedy, spoken, words_of
from zoo_speech.frames import frames_after
from zoo_speech.recognition import Recognizer, error_rates
from zoo_speech.subtitles import subtitles

import zoo


def frames(*places: int, classes: int = 4) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor(places), classes).float() * 9


def test_repeats_are_one_letter_unless_a_blank_parts_them() -> None:
    found = greedy(frames(1, 1, 0, 1, 2, 2, 3), 6)
    assert [letter.place for letter in found] == [1, 1, 2] and [(a.start, a.end) for a in found] == [
        (0, 2),
        (3, 4),
        (4, 6),
    ]


def test_words_have_their_frames() -> None:
    found = greedy(frames(1, 2, 3, 3, 1, 0), 6)
    assert spoken([letter.place for letter in found], ("a", "b", " ")) == "ab a"
    assert words_of(found, ("a", "b", " ")) == [("ab", 0, 2), ("a", 4, 5)]


def test_beam_search_finds_the_most_probable_text() -> None:
    for seed in range(20):
        logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(seed))
        chances = logits.double().log_softmax(1)
        texts: dict[tuple[int, ...], float] = {}
        for path in itertools.product(range(3), repeat=5):
            text = tuple(place for place, _ in itertools.groupby(path) if place)
            texts[text] = texts.get(text, 0.0) + math.exp(sum(float(chances[t, p]) for t, p in enumerate(path)))
        assert beam_search(logits, 5, beams=100) == max(texts, key=texts.__getitem__)


def test_error_rates_are_those_of_words_and_characters() -> None:
    found = error_rates(["one two", "three", ""], ["one too", "three four", "x"])
    assert found == pytest.approx({"wer": 100 * 2 / 3, "cer": 100 * 6 / 12})


def test_loss_counts_padding_for_nothing() -> None:
    logits = torch.randn(2, 9, 4, generator=torch.Generator().manual_seed(0))
    lengths, texts, sizes = torch.tensor([9, 5]), torch.tensor([[1, 2], [3, 0]]), torch.tensor([2, 1])
    alone = torch.stack(
        [
            ctc_loss(logits[n : n + 1, : lengths[n]], lengths[n : n + 1], texts[n : n + 1], sizes[n : n + 1])
            for n in (0, 1)
        ]
    )
    assert torch.allclose(ctc_loss(logits, lengths, texts, sizes), alone.mean())


def test_frames_after_convolutions() -> None:
    samples = torch.arange(400, 3000, 57)
    steps = ((10, 5, 0), (3, 2, 0), (5, 2, 2))
    for count in samples.tolist():
        size = count
        for kernel, stride, padding in steps:
            size = torch.nn.functional.conv1d(
                torch.zeros(1, 1, size), torch.zeros(1, 1, kernel), None, stride, padding
            ).shape[2]
        assert int(frames_after(torch.tensor([count]), steps)) == size


def test_texts_with_more_letters_than_frames_are_told() -> None:
    texts, sizes = torch.tensor([[1, 1, 2], [1, 2, 0]]), torch.tensor([3, 2])
    check_room(torch.tensor([4, 2]), texts, sizes)
    check_room(torch.tensor([3, 2]), texts, sizes)  # one of two is left out
    with pytest.raises(zoo.TrainingError, match=r"2 of 2 texts have more letters \(5\) than there are frames \(4\)"):
        check_room(torch.tensor([3, 1]), texts, sizes)


@pytest.mark.parametrize(("name", "frames"), [("tc_resnet_8", 13), ("bc_resnet_1", 50)])
def test_a_head_halves_only_what_is_whole(name: str, frames: int) -> None:
    network = Recognizer(zoo.create(name), 3).eval()
    assert network(torch.zeros(1, 40, 100)).shape == (1, frames, 4)
    assert int(frames_after(torch.tensor([100]), network.frame_steps)) == frames


def test_subtitles() -> None:
    made = subtitles([(0.0, 1.5, "one"), (3661.25, 3662.0, "two --> x\n\ny")])
    assert made[".srt"].startswith("1\n00:00:00,000 --> 00:00:01,500\none\n\n2\n01:01:01,250 --> ")
    assert "two -> x y" in made[".vtt"] and made[".vtt"].count("-->") == 2
