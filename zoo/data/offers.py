"""The data sets that the core offers, through the hook that plugins use too."""

from collections.abc import Iterator

from zoo.hookspecs import hookimpl
from zoo.specs import DatasetSpec


@hookimpl
def zoo_datasets() -> Iterator[DatasetSpec]:
    yield DatasetSpec(
        name="fashion_mnist",
        summary="60,000 + 10,000 grey pictures of clothes, 28x28, 10 classes (Xiao et al., 2017)",
        target="zoo.data.mnist:fashion_mnist",
        licence="MIT",
    )
    yield DatasetSpec(
        name="fashion_mnist_sample",
        summary="2,000 + 500 pictures of Fashion-MNIST that ship with zoo",
        target="zoo.data.mnist:fashion_mnist_sample",
        licence="MIT",
    )
    yield DatasetSpec(
        name="mnist",
        summary="60,000 + 10,000 grey handwritten digits, 28x28, 10 classes (LeCun et al., 1998)",
        target="zoo.data.mnist:mnist",
    )
    yield DatasetSpec(
        name="cifar10",
        summary="50,000 + 10,000 colour pictures, 32x32, 10 classes (Krizhevsky, 2009), binary version",
        target="zoo.data.cifar10:cifar10",
    )
