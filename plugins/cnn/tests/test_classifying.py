"""What is drawn of a split comes from all over it, whose files may lie class by class."""

import torch
from zoo_cnn.pretraining.classifying import _SHOWN, _noted


def test_a_few_samples_of_all_batches_are_kept() -> None:
    labels = torch.arange(100).repeat_interleave(20)
    kept: list[dict[str, torch.Tensor]] = []
    passed = [batch["labels"] for batch in _noted(({"labels": part} for part in labels.split(20)), kept)]
    assert torch.equal(torch.cat(passed), labels)
    found = torch.cat([batch["labels"] for batch in kept])
    assert len(kept) <= _SHOWN and len(found) <= _SHOWN**2
    assert found.min() == 0 and found.max() > 85 and len(found.unique()) == len(kept) > _SHOWN // 2
