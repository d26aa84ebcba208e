"""timm's own classes behind the protocol `zoo.Backbone`, whose names are timm's: what timm has otherwise is put right.

The model that timm builds stays what it is, with its tensors' names; it only gets a class of two parents.
"""

from collections.abc import Mapping
from typing import Any, cast

from torch import nn

import zoo
from zoo_timm.table import table

_REFUSED = {
    *("pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "pretrained_strict", "pretrained_filter_fn"),
    *("checkpoint_path", "cache_dir", "features_only", "out_indices", "feature_cfg", "kwargs_filter", "model_cfg"),
    *("scriptable", "exportable", "no_jit", "num_classes", "in_chans", "img_size"),
}
"""What timm reads weights by, or makes another kind of model by, or what has a name here."""
_LARGEST = 65_536
_KINDS: dict[type[nn.Module], type[nn.Module]] = {}
_USUAL = {"stem": r"^(?:stem|patch_embed|conv_stem|conv1|bn1)", "blocks": r"^(?:stages|blocks|layers)\.(\d+)"}


def backbone(
    *,
    architecture: str,
    num_classes: int = 1000,
    channels: int = 3,
    options: dict[str, Any] = {},  # noqa: B006 (read alone, and config.json wants an object)
) -> nn.Module:
    """Build a model of timm that takes pictures of any size, with fresh weights; nothing is fetched.

    `architecture` is timm's name of it. `options` are timm's further arguments, such as drop_path_rate: numbers, texts,
    or lists of them.
    """
    return _built(architecture, num_classes, channels, options)


def sized_backbone(
    *,
    architecture: str,
    num_classes: int = 1000,
    channels: int = 3,
    image_size: int | list[int] | None = None,
    options: dict[str, Any] = {},  # noqa: B006 (read alone, and config.json wants an object)
) -> nn.Module:
    """Build a model of timm that is made for pictures of one size, with fresh weights; nothing is fetched.

    `architecture` is timm's name of it, and `image_size` is timm's own unless it is given. `options` are timm's further
    arguments, such as drop_path_rate: numbers, texts, or lists of them.
    """
    if image_size is None:
        return _built(architecture, num_classes, channels, options)
    zoo.check_sizes(image_size=image_size)
    size = image_size if isinstance(image_size, int) else tuple(image_size)
    return _built(architecture, num_classes, channels, options, img_size=size)


def _built(architecture: str, num_classes: int, channels: int, options: Mapping[str, Any], **size: Any) -> nn.Module:
    zoo.check_sizes(channels=channels)
    if architecture not in table().architectures:
        raise ValueError(f"timm has no architecture {architecture!r} that is known here")
    _check(options)
    model = _library().create_model(
        architecture, pretrained=False, num_classes=num_classes, in_chans=channels, **size, **options
    )
    return bridge(model)


def _library() -> Any:
    try:
        import timm  # here, so that what needs no model needs no timm
    except ImportError as error:
        raise zoo.UsageError(
            f"models of the family timm need timm, which cannot be imported ({error}): pip install 'zoo-timm[timm]'"
        ) from None
    return timm


def _check(options: Mapping[str, Any]) -> None:
    for name, value in options.items():
        if name in _REFUSED:
            raise ValueError(f"options has {name!r}, which is not for the sizes of a model")
        items = value if isinstance(value, list) else [value]
        if not all(item is None or isinstance(item, (bool, int, float, str)) for item in items):
            raise ValueError(f"options has a {name!r} that is neither number nor text nor a list of them")
        if any(type(item) is int and not -1 <= item <= _LARGEST for item in items):
            raise ValueError(f"options has a {name!r} beyond its limit of {_LARGEST}")


def bridge(model: nn.Module) -> nn.Module:
    """Put a model of timm's behind the protocol, and return it."""
    features = [
        zoo.FeatureInfo(info["num_chs"], info["reduction"], info["module"])
        for info in getattr(model, "feature_info", None) or ()
    ]
    known = cast(Any, model)
    model.__class__ = _bridged(type(model))
    known.feature_info = features
    known.width_of_maps = known.num_features
    known.num_features = getattr(known, "head_hidden_size", known.num_features)
    return model


def _bridged(kind: type[nn.Module]) -> type[nn.Module]:
    if kind not in _KINDS:
        _KINDS[kind] = type(kind.__name__, (TimmBackbone, kind), {"__module__": kind.__module__})
    return _KINDS[kind]


class TimmBackbone(nn.Module):
    """What stands before a class of timm's in the order of its parents. Keeps `zoo.Backbone`."""

    feature_info: list[zoo.FeatureInfo]
    num_classes: int
    num_features: int
    """The width of pooled features; timm calls that of the last map so, where a head has a layer between the two."""
    width_of_maps: int

    @property
    def _timm(self) -> Any:
        """What timm's own class does."""
        return super()

    def get_classifier(self) -> nn.Module:
        """Return the head, or all of several heads."""
        try:
            found = self._timm.get_classifier()
        except AttributeError:  # some of timm's classes look for it in a head that is gone
            return nn.Identity()
        return found if isinstance(found, nn.Module) else nn.ModuleList(found)

    def reset_classifier(self, num_classes: int, *others: Any, **named: Any) -> None:
        """Put a fresh head in place, where the model lies and in its type; 0 takes it away."""
        like, pooled = next(self.parameters()), self.num_features
        self.num_features = self.width_of_maps
        self._timm.reset_classifier(num_classes, *others, **named)
        self.num_features = pooled
        self.num_classes = num_classes
        self.get_classifier().to(device=like.device, dtype=like.dtype)

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Return timm's patterns of layers; where its class has none, those of blocks by their usual names."""
        own = getattr(self._timm, "group_matcher", None)
        found: Any = None if own is None else own(coarse=coarse)  # of some classes a function
        return found if isinstance(found, dict) else dict(_USUAL)

    def no_weight_decay(self) -> set[str]:
        """Return names of parameters that must not be decayed, of those that this model has."""
        own: set[str] = set(getattr(self._timm, "no_weight_decay", set)())
        return own & {name for name, _ in self.named_parameters()}

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Trade time for memory in training, where timm's class can."""
        try:
            self._timm.set_grad_checkpointing(enable)
        except AssertionError:
            pass  # timm's way to say that a class has none of it
