"""The tasks that the core offers, with the recipes that finetune for them."""

from collections.abc import Iterator

from zoo.specs.hooks import hookimpl
from zoo.specs.records import MethodSpec, RecipeSpec, TaskSpec


@hookimpl
def zoo_tasks() -> Iterator[TaskSpec]:
    yield TaskSpec(
        name="image-classification",
        needs_labels=True,
        summary="Classify an image",
        recipe="image_classification",
        score="accuracy",
        network="zoo.tasks.multi_label:MultiLabelClassifier",
        predictor="zoo.tasks.classification_predictor:ClassificationPredictor",
    )
    yield TaskSpec(
        name="object-detection",
        needs_labels=True,
        summary="Detect objects in an image, with bounding boxes",
        recipe="object_detection",
        score="ap",
        learns_from="boxes",
        network="zoo.tasks.detection.network:Detector",
        reader="zoo.data.boxes.open:open_boxes",
        predictor="zoo.tasks.detection.predictor:DetectionPredictor",
    )
    yield TaskSpec(
        name="image-segmentation",
        needs_labels=True,
        summary="Classify every pixel of an image (semantic segmentation)",
        recipe="image_segmentation",
        score="miou",
        learns_from="masks",
        network="zoo.tasks.segmentation.network:Segmenter",
        reader="zoo.data.masks.folder:open_mask_folder",
        predictor="zoo.tasks.segmentation.predictor:SegmentationPredictor",
    )


@hookimpl
def zoo_methods() -> Iterator[MethodSpec]:
    for name, summary in (
        ("full", "All layers learn, each one below at a smaller rate (layer-wise decay)"),
        ("gradual", "As full, layer after layer from the last one down (gradual unfreezing; Howard and Ruder, 2018)"),
        ("frozen", "The head alone learns (linear probe)"),
        ("lora", "Low-rank corrections of each layer learn, and the head (LoRA; Hu et al., 2021)"),
        ("scratch", "The same network from random weights, to compare with"),
    ):
        target = "zoo.tasks.methods:Finetuning"
        yield MethodSpec(name=name, summary=summary, target=target, adapts=name == "lora")


@hookimpl
def zoo_recipes() -> Iterator[RecipeSpec]:
    yield RecipeSpec(
        name="image_classification",
        stage="finetune",
        summary="Finetune for image classification, single-label or multi-label",
        target="zoo.tasks.image_classification:ImageClassification",
        settings="zoo.tasks.settings:ImageClassificationSettings",
        task="image-classification",
        score="accuracy",
        higher_is_better=True,
        requires=("features",),
    )
    yield RecipeSpec(
        name="object_detection",
        stage="finetune",
        summary="Finetune for object detection: feature pyramid and anchor-free head (FCOS)",
        target="zoo.tasks.detection.recipe:ObjectDetection",
        settings="zoo.tasks.detection.settings:ObjectDetectionSettings",
        task="object-detection",
        score="ap",
        higher_is_better=True,
        requires=("features",),
    )
    yield RecipeSpec(
        name="image_segmentation",
        stage="finetune",
        summary="Finetune for semantic segmentation: feature pyramid head (semantic FPN; Kirillov et al., 2019)",
        target="zoo.tasks.segmentation.recipe:ImageSegmentation",
        settings="zoo.tasks.segmentation.settings:ImageSegmentationSettings",
        task="image-segmentation",
        score="miou",
        higher_is_better=True,
        requires=("features",),
    )
