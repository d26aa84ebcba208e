"""A small table: users keep to one of four genres, but for one item in six."""

from pathlib import Path

import numpy as np

USERS, GENRES, ITEMS = 80, 4, 12


def write_table(path: Path) -> Path:
    random = np.random.default_rng(0)
    lines = ["user,item,timestamp"]
    for user in range(USERS):
        genres = np.where(random.random(9) < 1 / 6, random.integers(GENRES, size=9), user % GENRES)
        for time, (genre, item) in enumerate(zip(genres, random.permutation(ITEMS)[:9], strict=True)):
            lines.append(f"u{user},g{genre}-i{item},{time}")
    path.write_text("\n".join(lines) + "\n")
    (path.parent / "titles.csv").write_text(
        "item,title\n"
        + "".join(f"g{genre}-i{item},Part {item} of {genre}\n" for genre in range(GENRES) for item in range(ITEMS))
    )
    return path
