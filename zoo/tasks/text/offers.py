"""The tasks of text that the core offers, and the recipes that learn language from text alone."""

from collections.abc import Iterator

from zoo.specs.hooks import hookimpl
from zoo.specs.records import RecipeSpec, TaskSpec


@hookimpl
def zoo_tasks() -> Iterator[TaskSpec]:
    yield TaskSpec(
        name="text-classification",
        needs_labels=True,
        summary="Classify a text or a pair of texts",
        recipe="text_classification",
        score="accuracy",
        modality="text",
        network="zoo.tasks.multi_label:MultiLabelTextClassifier",
        predictor="zoo.tasks.text.predictors:TextClassificationPredictor",
    )
    yield TaskSpec(
        name="text-generation",
        command="generate",
        summary="Generate text from a prompt",
        recipe="text_generation",
        score="loss",
        modality="text",
        learns_from="tokens",
    )
    yield TaskSpec(
        name="fill-mask",
        summary="Predict the masked words of a text",
        recipe="fill_mask",
        score="loss",
        modality="text",
        learns_from="tokens",
        predictor="zoo.tasks.text.predictors:FillMaskPredictor",
    )
    yield TaskSpec(
        name="translation",
        command="translate",
        summary="Translate a text",
        recipe="translation",
        score="bleu",
        modality="text",
        learns_from="target_text",
    )
    yield TaskSpec(
        name="summarization",
        command="summarize",
        summary="Summarize a text",
        recipe="summarization",
        score="rouge_l",
        modality="text",
        learns_from="target_text",
    )


@hookimpl
def zoo_recipes() -> Iterator[RecipeSpec]:
    yield RecipeSpec(
        name="causal_language_modelling",
        stage="pretrain",
        summary="Next-token prediction (causal language modelling; GPT, Radford et al., 2018)",
        target="zoo.tasks.text.modelling:CausalLanguageModelling",
        settings="zoo.tasks.text.settings:CausalSettings",
        task="text-generation",
        score="loss",
        modality="text",
        requires=("language-model", "generate"),
    )
    yield RecipeSpec(
        name="masked_language_modelling",
        stage="pretrain",
        summary="Masked language modelling (BERT; Devlin et al., 2019)",
        target="zoo.tasks.text.modelling:MaskedLanguageModelling",
        settings="zoo.tasks.text.settings:MaskedSettings",
        task="fill-mask",
        score="loss",
        modality="text",
        requires=("language-model",),
    )
    yield RecipeSpec(
        name="span_corruption",
        stage="pretrain",
        summary="Span corruption (T5; Raffel et al., 2020)",
        target="zoo.tasks.text.modelling:SpanCorruption",
        settings="zoo.tasks.text.settings:SpanSettings",
        task="text-generation",
        score="loss",
        modality="text",
        requires=("language-model", "encode-decode"),
    )
    yield RecipeSpec(
        name="text_denoising",
        stage="pretrain",
        summary="Text denoising: reconstruct a text from its masked version (BART; Lewis et al., 2020)",
        target="zoo.tasks.text.modelling:TextDenoising",
        settings="zoo.tasks.text.settings:DenoisingSettings",
        task="text-generation",
        score="loss",
        modality="text",
        requires=("language-model", "encode-decode"),
    )
    yield RecipeSpec(
        name="text_classification",
        stage="finetune",
        summary="Finetune for text classification, of texts or text pairs",
        target="zoo.tasks.text.classification:TextClassification",
        settings="zoo.tasks.text.settings:TextClassificationSettings",
        task="text-classification",
        score="accuracy",
        higher_is_better=True,
        modality="text",
        requires=("features",),
    )
    yield RecipeSpec(
        name="text_generation",
        stage="finetune",
        summary="Finetune a causal language model on other text",
        target="zoo.tasks.text.modelling:CausalLanguageModelling",
        settings="zoo.tasks.text.settings:TextGenerationSettings",
        task="text-generation",
        score="loss",
        modality="text",
        requires=("language-model", "generate"),
    )
    yield RecipeSpec(
        name="fill_mask",
        stage="finetune",
        summary="Finetune a masked language model on other text",
        target="zoo.tasks.text.modelling:MaskedLanguageModelling",
        settings="zoo.tasks.text.settings:FillMaskSettings",
        task="fill-mask",
        score="loss",
        modality="text",
        requires=("language-model",),
    )
    for task, target, score in (("translation", "Translation", "bleu"), ("summarization", "Summarization", "rouge_l")):
        yield RecipeSpec(
            name=task,
            stage="finetune",
            summary=f"Finetune for {task} on pairs of texts: encoder-decoder or decoder-only",
            target=f"zoo.tasks.text.writing:{target}",
            settings="zoo.tasks.text.settings:Seq2SeqSettings",
            task=task,
            score=score,
            higher_is_better=True,
            modality="text",
            requires=("language-model",),
        )
