"""What a classifier says of items, in numbers that JSON has."""

import pytest
import torch

from zoo.errors import IntegrityError
from zoo.tasks.classification_predictor import classes_of


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_038_broken_weights_predict_nothing(several: bool, value: float) -> None:
    with pytest.raises(IntegrityError, match="makes NaN or infinity of these items"):
        classes_of(torch.tensor([[1.0, value]]), ("cat", "dog"), several=several)
