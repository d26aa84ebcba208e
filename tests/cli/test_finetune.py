"""`zoo finetune`."""

from typing import Any


def test_a_run_and_what_follows(trained: str, says: Any) -> None:
    asked = ("--task", "image-classification", "--data", "photos", "--set", "steps=2", "--out", "tuned")
    assert says("finetune", trained, *asked).splitlines() == [
        "tuned: test accuracy # · recall # · loss # · N s",
        "  tuned/pictures/curves.png",
        "  tuned/pictures/confusion.png",
        "  tuned/pictures/examples.png",
        "next:",
        "  zoo evaluate tuned --data photos",
        "  zoo predict tuned IMAGE…",
        "  zoo push tuned you/tuned",
    ]
