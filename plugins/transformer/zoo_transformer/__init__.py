"""Transformers for zoo: ViT with timm's names for architectures and parameters, text models with transformers'."""

from collections.abc import Iterator
from functools import partial

import zoo
from zoo_transformer.sizes import BERTS, GPT2S, LLAMAS, READERS, VITS

_SIZES = {"width": 65_536, "depth": 1024, "num_heads": 1024, "mlp_width": 1_000_000}
_PICTURES = {**_SIZES, "channels": 1024, "patch_size": 1024, "image_size": 65_536}
_TEXTS = {**_SIZES, "vocab_size": 4_000_000, "context": 16_777_216}

_image = partial(
    zoo.ModelSpec,
    family="transformer",
    task="image-classification",
    target="zoo_transformer.vit:ViT",
    capabilities=("features", "detection-ready"),
    limits=_PICTURES,
    recipe="masked_image_modelling",
    layouts="zoo_transformer.layouts.vit:LAYOUTS",
)
_text = partial(zoo.ModelSpec, family="transformer", modality="text", limits=_TEXTS)


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    for name, size in VITS.items():
        yield _image(
            name=name,
            summary=f"Vision transformer (ViT) {size.summary} (Dosovitskiy et al., 2021)",
            arguments=size.arguments,
            parameters=size.parameters,
        )
    yield _image(name="vit", summary="Vision transformer (ViT) of any size (Dosovitskiy et al., 2021)")
    for name, size in BERTS.items():
        yield _text(
            name=name,
            summary=size.summary,
            task="fill-mask",
            target="zoo_transformer.bert:BERT",
            recipe="masked_language_modelling",
            capabilities=("features", "language-model"),
            arguments=size.arguments,
            parameters=size.parameters,
            layouts=f"zoo_transformer.layouts.{name if name in ('roberta', 'distilbert') else 'bert'}:LAYOUTS",
        )
    for name, size in GPT2S.items():
        yield _text(
            name=name,
            summary=size.summary,
            task="text-generation",
            target="zoo_transformer.gpt2:GPT2",
            recipe="causal_language_modelling",
            capabilities=("features", "language-model", "generate"),
            arguments=size.arguments,
            parameters=size.parameters,
            layouts="zoo_transformer.layouts.gpt2:LAYOUTS",
        )
    for name, size in LLAMAS.items():
        yield _text(
            name=name,
            summary=size.summary,
            task="text-generation",
            target="zoo_transformer.llama:Llama",
            recipe="causal_language_modelling",
            capabilities=("features", "language-model", "generate"),
            arguments=size.arguments,
            parameters=size.parameters,
            layouts="zoo_transformer.layouts.llama:LAYOUTS",
        )
    for name, size in READERS.items():
        yield _text(
            name=name,
            summary=size.summary,
            task="translation",
            recipe="span_corruption",
            target=f"zoo_transformer.{name}:{'T5' if name == 't5' else 'Marian'}",
            capabilities=("features", "language-model", "encode-decode"),
            arguments=size.arguments,
            parameters=size.parameters,
            layouts=f"zoo_transformer.layouts.{name}:LAYOUTS",
        )


@zoo.hookimpl
def zoo_recipes() -> Iterator[zoo.RecipeSpec]:
    yield zoo.RecipeSpec(
        name="masked_image_modelling",
        stage="pretrain",
        summary="Masked autoencoder for vision transformers (MAE; He et al., 2022)",
        target="zoo_transformer.pretraining.masked_images:MaskedImageModelling",
        settings="zoo_transformer.pretraining.settings:MaskedImageSettings",
        task="image-feature-extraction",
        score="loss",
        requires=("features",),
    )
    yield zoo.RecipeSpec(
        name="simcse",
        stage="pretrain",
        summary="SimCSE: contrastive learning of texts, with masked language modelling (Gao et al., 2021)",
        target="zoo_transformer.pretraining.simcse:SimCSE",
        settings="zoo_transformer.pretraining.settings:SimCSESettings",
        task="feature-extraction",
        score="loss",
        modality="text",
        requires=("features",),
    )
    yield zoo.RecipeSpec(
        name="replaced_token_detection",
        stage="pretrain",
        summary="Replaced token detection (ELECTRA; Clark et al., 2020)",
        target="zoo_transformer.pretraining.replaced_tokens:ReplacedTokenDetection",
        settings="zoo_transformer.pretraining.settings:ReplacedTokenSettings",
        task="feature-extraction",
        score="loss",
        modality="text",
        requires=("features", "language-model"),
    )
