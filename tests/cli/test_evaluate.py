"""`zoo evaluate`."""

import json
from typing import Any


def test_scores_on_a_line_and_as_json(trained: str, says: Any) -> None:
    assert says("evaluate", trained, "--data", "photos") == "run on photos, 4 samples: mse #\n"
    assert list(json.loads(says("evaluate", trained, "--data", "photos", "--json"))) == ["samples", "mse"]


def test_weights_of_other_classes(tiny: None, says: Any) -> None:
    assert says("evaluate", "weights", "--data", "fashion_mnist_sample", code=2) == (
        "zoo: 'fashion_mnist_sample' has classes that weights does not know: T-shirt/top, Trouser, Pullover, Dress, "
        "Coat …; it knows cat, dog; evaluate on data of these classes\n"
    )
