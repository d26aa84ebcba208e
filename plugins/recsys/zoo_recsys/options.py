"""What else can be said of tables of interactions: `--data-set NAME=VALUE`."""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

import zoo

Split = Literal["user", "item", "random", "last", "time"]


@dataclass(frozen=True, kw_only=True)
class InteractionOptions:
    """How a table is read, thinned and split.

    `user`, `item`, `rating` and `time` are columns, found by their usual names where they are not said; `titles` is a
    table of items with their titles. Rows below `min_rating` are left out, and then users and items with fewer than
    `core` rows, until there are none (k-core).

    `split` draws the share `test_share` of each user's rows by `split_seed`, or of each item's, or of all; `last` holds
    out the last row of each user, `time` the latest rows of all.
    """

    user: str | None = None
    item: str | None = None
    rating: str | None = None
    time: str | None = None
    titles: str | None = None
    min_rating: float | None = None
    core: zoo.NonNegativeInt = 0
    split: Split = "user"
    test_share: Annotated[float, Meta(gt=0, lt=1)] = 0.25
    split_seed: zoo.NonNegativeInt = 42
