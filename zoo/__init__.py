"""Zoo: a plugin-based model zoo with a hub.

    model = zoo.load("conv_autoencoder.fashion_mnist")
    zoo.finetune(model_or_name, task="image-classification", data="./photos", out="runs/photos")

Importing this package imports no torch; each name below is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from zoo.version import __version__ as __version__

if TYPE_CHECKING:
    from zoo.api.models import create as create
    from zoo.api.models import describe as describe
    from zoo.api.models import export as export
    from zoo.api.models import list_models as list_models
    from zoo.api.models import list_weights as list_weights
    from zoo.api.models import load as load
    from zoo.api.models import reconstruct as reconstruct
    from zoo.api.models import sample as sample
    from zoo.api.training import evaluate as evaluate
    from zoo.api.training import finetune as finetune
    from zoo.api.training import pretrain as pretrain
    from zoo.api.training import rehearse as rehearse
    from zoo.api.training import reproduce as reproduce
    from zoo.api.transfer import pull as pull
    from zoo.api.transfer import push as push
    from zoo.api.transfer import verify as verify
    from zoo.data.array_batches import ArrayBatches as ArrayBatches
    from zoo.data.augmentation.blur import random_blur as random_blur
    from zoo.data.augmentation.colour import colour_jitter as colour_jitter
    from zoo.data.augmentation.colour import random_grey as random_grey
    from zoo.data.augmentation.colour import random_solarise as random_solarise
    from zoo.data.augmentation.erasing import add_noise as add_noise
    from zoo.data.augmentation.erasing import random_erasing as random_erasing
    from zoo.data.augmentation.geometry import random_affine as random_affine
    from zoo.data.augmentation.geometry import random_crop as random_crop
    from zoo.data.augmentation.geometry import random_flip as random_flip
    from zoo.data.augmentation.geometry import random_resized_crop as random_resized_crop
    from zoo.data.augmentation.mixing import cutmix as cutmix
    from zoo.data.augmentation.mixing import mix as mix
    from zoo.data.augmentation.mixing import mixup as mixup
    from zoo.data.augmentation.names import Augmentation as Augmentation
    from zoo.data.augmentation.names import Mixing as Mixing
    from zoo.data.augmentation.policies import augment as augment
    from zoo.data.augmentation.randaugment import rand_augment as rand_augment
    from zoo.data.drawing import draw_held_out as draw_held_out
    from zoo.data.drawing import draw_labelled as draw_labelled
    from zoo.data.draws import Draws as Draws
    from zoo.data.images.dataset import ImageDataset as ImageDataset
    from zoo.data.images.dataset import ImageSplit as ImageSplit
    from zoo.data.images.normalise import normalise as normalise
    from zoo.data.order import BatchOptions as BatchOptions
    from zoo.data.order import SampleOrder as SampleOrder
    from zoo.data.ragged import Ragged as Ragged
    from zoo.data.text.dataset import TextDataset as TextDataset
    from zoo.data.text.dataset import TextSplit as TextSplit
    from zoo.engine.modes import evaluating as evaluating
    from zoo.engine.optimizers import make_optimizer as make_optimizer
    from zoo.engine.optimizers import parameter_groups as parameter_groups
    from zoo.engine.pictures import confusion_matrix as confusion_matrix
    from zoo.engine.pictures import feature_map as feature_map
    from zoo.engine.pictures import image_animation as image_animation
    from zoo.engine.pictures import image_grid as image_grid
    from zoo.engine.recipe import Batch as Batch
    from zoo.engine.recipe import Batches as Batches
    from zoo.engine.recipe import Loss as Loss
    from zoo.engine.recipe import Recipe as Recipe
    from zoo.engine.tracking import Tracker as Tracker
    from zoo.errors import AuthorisationError as AuthorisationError
    from zoo.errors import DataError as DataError
    from zoo.errors import IntegrityError as IntegrityError
    from zoo.errors import NetworkError as NetworkError
    from zoo.errors import NotFoundError as NotFoundError
    from zoo.errors import PluginError as PluginError
    from zoo.errors import StorageError as StorageError
    from zoo.errors import TrainingError as TrainingError
    from zoo.errors import UsageError as UsageError
    from zoo.errors import ZooError as ZooError
    from zoo.files import cache_folder as cache_folder
    from zoo.files import write_file as write_file
    from zoo.inference.text.decoding_options import Decoding as Decoding
    from zoo.specs.backbones import Adversarial as Adversarial
    from zoo.specs.backbones import Autoencoder as Autoencoder
    from zoo.specs.backbones import Backbone as Backbone
    from zoo.specs.backbones import Cache as Cache
    from zoo.specs.backbones import CausalLanguageModel as CausalLanguageModel
    from zoo.specs.backbones import ClassSampler as ClassSampler
    from zoo.specs.backbones import EncoderDecoder as EncoderDecoder
    from zoo.specs.backbones import FeatureInfo as FeatureInfo
    from zoo.specs.backbones import LanguageModel as LanguageModel
    from zoo.specs.backbones import Sampler as Sampler
    from zoo.specs.backbones import TextBackbone as TextBackbone
    from zoo.specs.containers import Container as Container
    from zoo.specs.containers import Format as Format
    from zoo.specs.hooks import hookimpl as hookimpl
    from zoo.specs.layouts import Layout as Layout
    from zoo.specs.layouts import Rename as Rename
    from zoo.specs.modality import Dataset as Dataset
    from zoo.specs.modality import DataSource as DataSource
    from zoo.specs.modality import Inputs as Inputs
    from zoo.specs.modality import Loaded as Loaded
    from zoo.specs.modality import Modality as Modality
    from zoo.specs.modality import Need as Need
    from zoo.specs.modality import Predicts as Predicts
    from zoo.specs.modality import Split as Split
    from zoo.specs.networks import FinetuneMethod as FinetuneMethod
    from zoo.specs.networks import Network as Network
    from zoo.specs.networks import Predictor as Predictor
    from zoo.specs.networks import TextPredictor as TextPredictor
    from zoo.specs.records import Capability as Capability
    from zoo.specs.records import CommandSpec as CommandSpec
    from zoo.specs.records import DatasetSpec as DatasetSpec
    from zoo.specs.records import ExplainerSpec as ExplainerSpec
    from zoo.specs.records import FormatSpec as FormatSpec
    from zoo.specs.records import LayoutSpec as LayoutSpec
    from zoo.specs.records import MethodSpec as MethodSpec
    from zoo.specs.records import ModalitySpec as ModalitySpec
    from zoo.specs.records import ModelSpec as ModelSpec
    from zoo.specs.records import OptionSpec as OptionSpec
    from zoo.specs.records import RecipeSpec as RecipeSpec
    from zoo.specs.records import Target as Target
    from zoo.specs.records import TaskSpec as TaskSpec
    from zoo.specs.records import TrackerSpec as TrackerSpec
    from zoo.specs.settings import FinetuneSettings as FinetuneSettings
    from zoo.specs.settings import LanguageSettings as LanguageSettings
    from zoo.specs.settings import TextFinetuneSettings as TextFinetuneSettings
    from zoo.specs.settings import TrainingSettings as TrainingSettings
    from zoo.tasks.methods import learner as learner
    from zoo.weights.inputs import Preprocessing as Preprocessing
    from zoo.weights.predictor import task_predictor as task_predictor
    from zoo.weights.tokenizer import TextInputs as TextInputs
    from zoo.weights.tokenizer import Tokenizer as Tokenizer

_HOMES = {
    "zoo.api.models": ("create", "describe", "export", "list_models", "list_weights", "load", "reconstruct", "sample"),
    "zoo.api.training": ("evaluate", "finetune", "pretrain", "rehearse", "reproduce"),
    "zoo.api.transfer": ("pull", "push", "verify"),
    "zoo.data.array_batches": ("ArrayBatches",),
    "zoo.data.augmentation.blur": ("random_blur",),
    "zoo.data.augmentation.colour": ("colour_jitter", "random_grey", "random_solarise"),
    "zoo.data.augmentation.erasing": ("add_noise", "random_erasing"),
    "zoo.data.augmentation.geometry": ("random_affine", "random_crop", "random_flip", "random_resized_crop"),
    "zoo.data.augmentation.mixing": ("cutmix", "mix", "mixup"),
    "zoo.data.augmentation.names": ("Augmentation", "Mixing"),
    "zoo.data.augmentation.policies": ("augment",),
    "zoo.data.augmentation.randaugment": ("rand_augment",),
    "zoo.data.drawing": ("draw_held_out", "draw_labelled"),
    "zoo.data.draws": ("Draws",),
    "zoo.data.images.dataset": ("ImageDataset", "ImageSplit"),
    "zoo.data.images.normalise": ("normalise",),
    "zoo.data.order": ("BatchOptions", "SampleOrder"),
    "zoo.data.ragged": ("Ragged",),
    "zoo.data.text.dataset": ("TextDataset", "TextSplit"),
    "zoo.engine.modes": ("evaluating",),
    "zoo.engine.optimizers": ("make_optimizer", "parameter_groups"),
    "zoo.engine.pictures": ("confusion_matrix", "feature_map", "image_animation", "image_grid"),
    "zoo.engine.recipe": ("Batch", "Batches", "Loss", "Recipe"),
    "zoo.engine.tracking": ("Tracker",),
    "zoo.errors": (
        "AuthorisationError",
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
    "zoo.files": ("cache_folder", "write_file"),
    "zoo.inference.text.decoding_options": ("Decoding",),
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
    "zoo.specs.containers": ("Container", "Format"),
    "zoo.specs.hooks": ("hookimpl",),
    "zoo.specs.layouts": ("Layout", "Rename"),
    "zoo.specs.modality": ("DataSource", "Dataset", "Inputs", "Loaded", "Modality", "Need", "Predicts", "Split"),
    "zoo.specs.networks": ("FinetuneMethod", "Network", "Predictor", "TextPredictor"),
    "zoo.specs.records": (
        "Capability",
        "CommandSpec",
        "DatasetSpec",
        "ExplainerSpec",
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
    "zoo.specs.settings": ("FinetuneSettings", "LanguageSettings", "TextFinetuneSettings", "TrainingSettings"),
    "zoo.tasks.methods": ("learner",),
    "zoo.weights.inputs": ("Preprocessing",),
    "zoo.weights.predictor": ("task_predictor",),
    "zoo.weights.tokenizer": ("TextInputs", "Tokenizer"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(["__version__", *_HOME])


_RENAMED = {"Learner": "learner"}
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
