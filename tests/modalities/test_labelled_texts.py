"""A recipe that pretrains on texts with labels gets them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import zoo
from zoo.data.text.columns import Columns
from zoo.data.text.tokens import TokenRows
from zoo.modalities.text import modality
from zoo.specs.modality import DataSource


def test_labels_are_kept(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text("text,label\n" + "".join(f"text {n},{'ab'[n % 2]}\n" for n in range(20)))
    source = DataSource(name=str(tmp_path / "all.csv"), options=Columns())
    settings = zoo.LanguageSettings(tokenizer="bytes")
    need: Any = SimpleNamespace(
        stage="pretrain", recipe=SimpleNamespace(labels=True), settings=settings, learns_from=None
    )
    dataset, inputs = modality.open(source, need)
    dataset.check("labels")
    assert (dataset.classes, dataset.labelled, inputs.max_tokens) == (("a", "b"), True, 128)
    train = dataset.splits["train"]
    assert isinstance(train, TokenRows) and train.labels is not None and len(train.labels) == 16
