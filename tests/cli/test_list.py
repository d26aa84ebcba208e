"""`zoo list`."""

from typing import Any


def test_models_and_weights(pushed: str, says: Any) -> None:
    says("registry", "add", pushed, "--name", "tiny.demo", "--hub", "hub")
    assert says("list", "tiny*").splitlines() == [
        "NAME  PARAMS  FAMILY  CAN       RECIPE  LICENSE  FROM",
        "tiny  -       cnn     features  -       MIT      zoo-tiny",
        "",
        "NAME                    PARAMS  TASK                      DATA           SCORE          LICENSE  FROM",
        "tiny.demo               0 k     image-classification      fashion_mnist  accuracy #  mit      "
        "zoo-tiny · hf://me/tiny",
        "tiny_autoencoder.taesd  2.4 M   image-feature-extraction  -              -              mit      "
        "zoo-autoencoder · hf://madebyollin/taesd",
        "",
        "1 model, 2 weights. `zoo info NAME` tells more; `--recipes`, `--tasks`, `--datasets`, `--modalities`.",
    ]


def test_one_kind(painter: None, says: Any) -> None:
    assert says("list", "--recipes", "paint").splitlines() == [
        "NAME      STAGE     SUMMARY             FROM",
        "painting  pretrain  Paint what is seen  zoo-painter",
        "",
        "1 recipe. `zoo info NAME` tells more.",
    ]


def test_twice_in_one_process(painter: None, says: Any) -> None:
    assert says("list", "painter") == says("list", "painter"), "zoo.cli.list, once imported, is not taken for list()"
