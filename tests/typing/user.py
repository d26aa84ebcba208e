"""What people write who import Zoo, and the mistakes that a type checker tells them of; test_typing.py reads it."""

from collections.abc import Iterable
from pathlib import Path
from typing import assert_type

from torch import Tensor, nn

import zoo


def finds() -> None:
    assert_type(zoo.list_models("resnet*", family="cnn"), list[str])
    assert_type(zoo.create("resnet20", num_classes=10), nn.Module)
    zoo.list_models(colour="red")  # expect: call-arg
    print(zoo.no_such_name)  # expect: attr-defined


def loads() -> None:
    model = zoo.load("conv_autoencoder.fashion_mnist", num_classes=3, hub=Path("hub"))
    assert_type(zoo.describe("run").labels, tuple[str, ...])
    model.eval()
    zoo.load("conv_autoencoder.fashion_mnist", num_classes="3")  # expect: arg-type
    zoo.load()  # expect: call-arg


def trains() -> None:
    result = zoo.pretrain("conv_autoencoder", data="photos", out="run", settings={"epochs": 3}, keep=1)
    assert_type(result.scores, dict[str, float])
    tuned = zoo.finetune(result.weights, task="image-classification", data="photos", out="tuned", method="frozen")
    assert_type(tuned.folder, Path)
    assert_type(zoo.evaluate(tuned.weights, data="photos"), dict[str, float])
    zoo.pretrain("conv_autoencoder", data="photos")  # expect: call-arg
    zoo.finetune("run", task="image-classification", data="photos", out="x", sharding="both")  # expect: arg-type
    zoo.pretrain("conv_autoencoder", data="photos", out="run", epochs=3)  # expect: call-arg


def travels() -> None:
    pushed = zoo.push("run", "me/net", private=True, tag="v1")
    assert_type(pushed.commit, str)
    assert_type(zoo.pull("me/net", offline=True).folder, Path)
    zoo.push("run")  # expect: call-arg
    zoo.verify("run", signature=3)  # expect: arg-type


@zoo.hookimpl
def zoo_models() -> Iterable[zoo.ModelSpec]:
    yield zoo.ModelSpec(name="net", family="nets", summary="A net", target="mine:Net", capabilities=("features",))
    yield zoo.ModelSpec(name="net", family="nets", summary="A net")  # expect: call-arg
    yield zoo.ModelSpec(name="net", family="nets", summary="A net", target="mine:Net", size=3)  # expect: call-arg


def losses(outputs: Tensor) -> Iterable[zoo.Loss]:
    yield zoo.Loss("model", outputs.mean())
    yield zoo.Loss(1, outputs.mean())  # expect: arg-type


def fails() -> None:
    try:
        zoo.load("nothing")
    except zoo.NotFoundError as error:
        assert_type(error.exit_code, int)
    except zoo.ZooError as error:
        print(error)
