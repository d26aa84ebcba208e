"""`zoo reproduce`."""

import re
from typing import Any


def test_the_same_to_the_bit(trained: str, says: Any) -> None:
    first, last = says("reproduce", trained, "--out", "again", "--device", "cpu").splitlines()
    then, now = re.fullmatch(r"mse           then (\S+)  now (\S+)", first).groups()  # type: ignore[union-attr]
    assert (then, last) == (now, "the weights are bit-identical")
