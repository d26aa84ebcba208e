"""`zoo evaluate`."""

import json
from typing import Any


def test_scores_on_a_line_and_as_json(trained: str, says: Any) -> None:
    assert says("evaluate", trained, "--data", "photos") == "run on photos, test: mse #\n"
    assert list(json.loads(says("evaluate", trained, "--data", "photos", "--json"))) == ["mse"]


def test_weights_of_other_classes(tiny: None, says: Any) -> None:
    assert says("evaluate", "weights", "--data", "fashion_mnist_sample", code=2) == (
        "zoo: 'fashion_mnist_sample' has different classes (T-shirt/top, Trouser, Pullover, Dress, Coat …) than "
        "weights knows (cat, dog …); evaluate on data of the same classes\n"
    )
