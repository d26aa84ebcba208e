"""The data sets that the core offers, through the hook that plugins use too."""

from collections.abc import Iterator

from zoo.specs.hooks import hookimpl
from zoo.specs.records import DatasetSpec


@hookimpl
def zoo_datasets() -> Iterator[DatasetSpec]:
    yield DatasetSpec(
        name="fashion_mnist",
        hub_id="zalando-datasets/fashion_mnist",
        summary="60,000 + 10,000 greyscale images of clothes, 28x28, 10 classes (Xiao et al., 2017)",
        target="zoo.data.images.mnist:fashion_mnist",
        license="MIT",
    )
    yield DatasetSpec(
        name="fashion_mnist_sample",
        summary="2,000 + 500 images of Fashion-MNIST that ship with Zoo",
        target="zoo.data.images.mnist:fashion_mnist_sample",
        license="MIT",
    )
    yield DatasetSpec(
        name="mnist",
        hub_id="ylecun/mnist",
        summary="60,000 + 10,000 handwritten digits, greyscale, 28x28, 10 classes (LeCun et al., 1998)",
        target="zoo.data.images.mnist:mnist",
    )
    yield DatasetSpec(
        name="cifar10",
        hub_id="uoft-cs/cifar10",
        summary="50,000 + 10,000 colour images, 32x32, 10 classes (Krizhevsky, 2009), binary version",
        target="zoo.data.images.cifar10:cifar10",
    )
    yield DatasetSpec(
        name="ag_news",
        hub_id="fancyzhx/ag_news",
        summary="News articles in 4 topics, the rows of train.csv + 7,600 (Zhang et al., 2015)",
        target="zoo.data.text.known:ag_news",
        modality="text",
        task="text-classification",
        license="non-commercial research",
    )
    yield DatasetSpec(
        name="trec",
        hub_id="CogComp/trec",
        summary="5,452 + 500 questions, 6 question types (Li and Roth, 2002)",
        target="zoo.data.text.known:trec",
        modality="text",
        task="text-classification",
    )
    yield DatasetSpec(
        name="tinyshakespeare",
        summary="One million characters of Shakespeare (Karpathy, 2015)",
        target="zoo.data.text.known:tinyshakespeare",
        modality="text",
        task="text-generation",
        license="public domain",
    )
    for first, second in (("de", "en"), ("en", "de"), ("fr", "en"), ("en", "fr")):
        yield DatasetSpec(
            name=f"multi30k_{first}_{second}",
            summary=f"29,000 + 1,000 captions of photographs, {first} to {second} (Elliott et al., 2016)",
            target=f"zoo.data.text.known:multi30k_{first}_{second}",
            modality="text",
            task="translation",
            license="non-commercial",
        )
    yield DatasetSpec(
        name="aeslc",
        hub_id="Yale-LILY/aeslc",
        summary="14,436 + 1,906 e-mails with subject lines (Zhang and Tetreault, 2019)",
        target="zoo.data.text.known:aeslc",
        modality="text",
        task="summarization",
        license="CC-BY-NC-SA-4.0",
    )
