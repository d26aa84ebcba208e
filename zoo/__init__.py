"""Zoo: a plugin-based model zoo with a hub.

    model = zoo.load("conv_autoencoder.fashion_mnist")
    zoo.finetune(model_or_name, task="image-classification", data="./photos", out="runs/photos")

Importing this package imports no torch; each name below is imported when it is first used.
"""

from importlib import import_module
from typing import Any

from zoo.version import __version__ as __version__

# the one table of names; `make docs` writes __init__.pyi from it, for type checkers and editors
_HOMES = {
    "zoo.api.models": (
        "convert",
        "create",
        "describe",
        "export",
        "find_weights",
        "list_models",
        "list_weights",
        "load",
        "published",
        "reconstruct",
        "sample",
        "save",
    ),
    "zoo.api.training": (
        "answers",
        "dataset_for",
        "dry_run",
        "evaluate",
        "features",
        "finetune",
        "held_out_baseline",
        "pretrain",
        "reproduce",
    ),
    "zoo.api.transfer": ("pull", "push", "verify"),
    "zoo.data.array_batches": ("ArrayBatches",),
    "zoo.data.array_dataset": ("ArrayDataset", "ArraySplit"),
    "zoo.data.augmentation.blur": ("random_blur",),
    "zoo.data.augmentation.colour": ("color_jitter", "random_grayscale", "random_solarize"),
    "zoo.data.augmentation.erasing": ("add_noise", "random_erasing"),
    "zoo.data.augmentation.crops": ("random_resized_crop",),
    "zoo.data.augmentation.geometry": ("random_affine", "random_crop", "random_flip"),
    "zoo.data.augmentation.mixing": ("cutmix", "mix", "mixup"),
    "zoo.data.augmentation.names": ("Augmentation", "Mirroring", "Mixing"),
    "zoo.data.augmentation.policies": ("augment",),
    "zoo.data.augmentation.randaugment": ("rand_augment",),
    "zoo.data.delimited": ("read_delimited",),
    "zoo.data.drawing": ("draw_held_out", "draw_labelled"),
    "zoo.data.draws": ("Draws",),
    "zoo.data.hashes": ("common_hashes",),
    "zoo.data.hub_rows": ("hub_tables",),
    "zoo.data.images.copies": ("alike_images",),
    "zoo.data.images.dataset": ("ImageDataset", "ImageSplit"),
    "zoo.data.images.listing": ("files_below", "pictures_in"),
    "zoo.data.images.normalize": ("normalize",),
    "zoo.data.images.pictures": ("open_picture",),
    "zoo.data.images.scaling": ("seen_part",),
    "zoo.data.order": ("BatchOptions", "SampleOrder"),
    "zoo.data.places": ("not_found", "search_path"),
    "zoo.data.ragged": ("Ragged",),
    "zoo.data.reading": ("as_inputs", "read_batches"),
    "zoo.data.splitting": ("SPLITS", "split_by_hash", "split_folders", "splits_of", "with_test"),
    "zoo.data.text.dataset": ("TextDataset", "TextSplit"),
    "zoo.data.text.typed": ("named_texts",),
    "zoo.data.text_files": ("read_text",),
    "zoo.engine.figures": ("figure_at",),
    "zoo.engine.modes": ("evaluating",),
    "zoo.engine.optimizers": ("make_optimizer", "parameter_groups"),
    "zoo.engine.pictures": ("confusion_matrix", "feature_map", "image_animation", "image_grid"),
    "zoo.engine.recipe": ("Batch", "Batches", "EvaluatesEach", "Loss", "Recipe"),
    "zoo.engine.samples": ("spread_rows", "spread_samples"),
    "zoo.engine.tracking": ("Tracker",),
    "zoo.errors": (
        "AuthorizationError",
        "DataError",
        "IntegrityError",
        "NetworkError",
        "NotFoundError",
        "PluginError",
        "StorageError",
        "TrainingError",
        "UsageError",
        "ZooError",
    ),
    "zoo.files": ("cache_folder", "inside", "new_folder", "storage_errors", "write_file"),
    "zoo.inference.text.decoding_options": ("Decoding",),
    "zoo.modalities.named": ("open_named",),
    "zoo.publishing.eval_results": ("recorded_scores",),
    "zoo.specs.backbones": (
        "Adversarial",
        "Autoencoder",
        "Backbone",
        "Cache",
        "CausalLanguageModel",
        "ClassSampler",
        "EncoderDecoder",
        "FeatureInfo",
        "LanguageModel",
        "Sampler",
        "TextBackbone",
    ),
    "zoo.specs.comparisons": ("ComparisonTable",),
    "zoo.specs.containers": ("BaseAddress", "CarriesFiles", "Container", "Format", "NeedsBase", "WritesFolders"),
    "zoo.specs.engines": ("Engine",),
    "zoo.specs.explainers": ("Explainer",),
    "zoo.specs.families": ("Family",),
    "zoo.specs.hooks": ("hookimpl",),
    "zoo.specs.layouts": ("Layout", "Rename", "Twin"),
    "zoo.specs.modality": (
        "DataSource",
        "Dataset",
        "Embeds",
        "Inputs",
        "Loaded",
        "Modality",
        "Need",
        "Predicts",
        "Samples",
        "Split",
    ),
    "zoo.specs.modality_offers": (
        "Baseline",
        "ChoosesByData",
        "Chosen",
        "HasBaseline",
        "HasHeldOutBaseline",
        "HeldOut",
    ),
    "zoo.specs.networks": ("FinetuneMethod", "Network", "Predictor", "TextPredictor"),
    "zoo.specs.records": (
        "AbilitySpec",
        "Capability",
        "CommandSpec",
        "ComparisonSpec",
        "DatasetSpec",
        "EngineSpec",
        "ExplainerSpec",
        "FamilySpec",
        "FormatSpec",
        "LayoutSpec",
        "MethodSpec",
        "ModalitySpec",
        "ModelSpec",
        "OptionSpec",
        "RecipeSpec",
        "Target",
        "TaskSpec",
        "TrackerSpec",
    ),
    "zoo.specs.settings": (
        "Count",
        "FinetuneSettings",
        "Fraction",
        "LanguageSettings",
        "NonNegative",
        "NonNegativeInt",
        "Positive",
        "Probability",
        "RateRule",
        "Share",
        "TextFinetuneSettings",
        "TrainingSettings",
        "WeightsName",
        "by_data",
        "rate_by_size",
    ),
    "zoo.strict_json": ("parse_json",),
    "zoo.tasks.methods": ("learner",),
    "zoo.tasks.one_network": ("OneNetwork",),
    "zoo.weights.backbones": ("BackboneModule", "ImageBackboneModule", "check_sizes"),
    "zoo.weights.foreign.recognize": ("layout_of",),
    "zoo.weights.foreign.renaming": ("parts_of", "to_ours"),
    "zoo.weights.inputs": ("Preprocessing",),
    "zoo.weights.pinned_base": ("pinned_base",),
    "zoo.weights.predictor": ("task_predictor",),
    "zoo.weights.stored": ("stored_tensors", "tensors_sha256"),
    "zoo.weights.tokenizer": ("TextInputs", "Tokenizer", "read_text_inputs"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(["__version__", *_HOME])


_RENAMED = {
    "AuthorisationError": "AuthorizationError",
    "Learner": "learner",
    "colour_jitter": "color_jitter",
    "normalise": "normalize",
    "random_grey": "random_grayscale",
    "random_solarise": "random_solarize",
    "rehearse": "dry_run",
}
"""Names of the last release, which go with the next one."""


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        import logging

        logging.getLogger("zoo").warning(
            "zoo.%s is now zoo.%s; the old name goes with the next release", name, _RENAMED[name]
        )
        name = _RENAMED[name]
    if name not in _HOME:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
