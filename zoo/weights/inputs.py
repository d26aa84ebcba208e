"""How data become inputs, as config.json keeps it: a record of a modality, checked by the struct of its spec."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from zoo.errors import IntegrityError, NotFoundError, PluginError
from zoo.extras import install_command
from zoo.registry.loading import load_modality
from zoo.registry.plugins import CORE
from zoo.registry.registry import Offer, default_registry
from zoo.specs.named import load_target
from zoo.specs.records import ModalitySpec

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Generator, Tensor

    from zoo.specs.modality import Inputs

_VERSION_1 = {"preprocessing": "image", "tokenisation": "text"}
"""What format_version 1 called the inputs of the modalities that there were."""
_MAX_PIXELS = 8192 * 8192
_CORE = {"plugin": CORE, "plugin_version": ""}


class Preprocessing(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How pictures become inputs: resized to `image_size` (height, width), floats in [0, 1], minus mean, over std.

    `crop` and `crop_mode` are timm's `crop_pct` and `crop_mode`, with sides of `image_size / crop`, floored: `center`
    scales a picture to cover them, `squash` stretches it to them, `border` scales it to lie within; the middle of
    `image_size` is taken, with edges of the mean where there is less. Without a mode it is `squash` where `crop` is 1,
    or else `center`. A middle between two pixels is `rounded` to the even one as timm and torchvision do, or `floored`
    as transformers does.
    """

    image_size: tuple[Annotated[int, Meta(ge=1, le=65_536)], Annotated[int, Meta(ge=1, le=65_536)]]
    channels: Annotated[int, Meta(ge=1, le=1024)]
    mean: tuple[float, ...] = (0.0,)
    std: tuple[Annotated[float, Meta(gt=0)], ...] = (1.0,)
    crop: Annotated[float, Meta(gt=0, le=1)] = 1.0
    crop_mode: Literal["center", "squash", "border"] = None  # type: ignore[assignment]  # decided below
    crop_offset: Literal["rounded", "floored"] = "rounded"
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"] = "bilinear"

    modality: ClassVar[str] = "image"

    def __post_init__(self) -> None:
        height, width = self.image_size
        if height * width > _MAX_PIXELS * self.crop**2:
            raise ValueError(f"images of {height} x {width} pixels cut from larger ones are more than can be held")
        if self.crop_mode is None:  # as it was before there were modes
            force_setattr(self, "crop_mode", "squash" if self.crop == 1 else "center")

    def record(self) -> "Preprocessing":
        """Return what config.json keeps: all of it."""
        return self

    def write(self, folder: "Path") -> None:
        """Write nothing: images need no file beside the weights."""

    def model_arguments(self) -> dict[str, Any]:
        """Return the arguments by which a fresh model fits."""
        height, width = self.image_size
        return {"image_size": height if height == width else [height, width], "channels": self.channels}

    def example(self, count: int, random: "Generator") -> "dict[str, Tensor]":
        """Return images (count, channels, height, width) as bytes."""
        import torch

        shape = (count, self.channels, *self.image_size)
        return {"images": torch.randint(0, 256, shape, generator=random, dtype=torch.uint8)}

    def describe(self) -> str:
        """Return one sentence for the model card."""
        height, width = self.image_size
        return f"Input: floats in [0, 1], shape (batch, {self.channels}, {height}, {width})."


class Tokenization(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """How text becomes inputs: by the tokenizer.json with this sha256, cut behind `max_tokens`.

    `normalize` makes the vectors of texts of length 1.
    """

    tokenizer: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    max_tokens: Annotated[int, Meta(ge=1, le=16_777_216)]
    normalize: bool = False


class InputsRecord(Struct, frozen=True, kw_only=True):
    """How data become inputs: of which modality, from which plugin, and the struct that its spec names."""

    modality: str
    plugin: str
    plugin_version: str
    values: Any

    def to_builtins(self) -> dict[str, Any]:
        """Return the record as JSON has it: one object."""
        own = {"modality": self.modality, "plugin": self.plugin, "plugin_version": self.plugin_version}
        return {**own, **msgspec.to_builtins(self.values)}


class _Head(Struct):
    modality: str
    plugin: str
    plugin_version: str


def inputs_record(inputs: "Inputs | None") -> InputsRecord | None:
    """Return what config.json keeps of inputs."""
    return None if inputs is None else record_of(inputs.modality, inputs.record())


def record_of(modality: str, values: Struct | None) -> InputsRecord | None:
    """Return what config.json keeps of a modality's values; None where there are none.

    Raise PluginError for values that would not come back from there as they are.
    """
    if values is None:
        return None
    offer = default_registry().modality(modality)
    plugin = offer.plugin
    try:
        again = msgspec.convert(msgspec.to_builtins(values), _struct(offer))
    except (TypeError, msgspec.ValidationError) as error:
        raise PluginError(
            f"modality {modality!r} of {plugin.distribution} records its inputs as {values!r}, which config.json "
            f"cannot keep: {error}; tell its author"
        ) from error
    if again != values:
        raise PluginError(
            f"modality {modality!r} of {plugin.distribution} records its inputs as {values!r}, which config.json would "
            f"give back as {again!r}; tell its author"
        )
    return InputsRecord(modality=modality, plugin=plugin.distribution, plugin_version=plugin.version, values=values)


def said_inputs(modality: str, values: Mapping[str, Any]) -> Any:
    """Return what a layout says of the inputs of a modality, as its struct; None where it says nothing.

    Raise IntegrityError for what the struct forbids.
    """
    return _converted(dict(values), _struct(default_registry().modality(modality)), "a layout") if values else None


def parse_inputs(values: Mapping[str, Any], version: int, source: str) -> tuple[dict[str, Any], InputsRecord | None]:
    """Return Zoo's block without its inputs, and these, checked.

    Raise NotFoundError where the plugin of their modality is missing, and IntegrityError for what its struct forbids.
    """
    rest = dict(values)
    found = None
    if version == 1:
        for key, modality in _VERSION_1.items():
            if (given := rest.pop(key, None)) is not None:
                found = {**_CORE, "modality": modality, **_object(given, key, source)}
    elif (given := rest.pop("inputs", None)) is not None:
        found = _object(given, "inputs", source)
    if found is None:
        return rest, None
    head = _converted(found, _Head, source)
    struct = _struct(_offered(head, source))
    own = {key: value for key, value in found.items() if key not in _Head.__struct_fields__}
    parsed = _converted(own, struct, source)
    return rest, InputsRecord(
        modality=head.modality, plugin=head.plugin, plugin_version=head.plugin_version, values=parsed
    )


def read_inputs(folder: "Path", modality: str, record: InputsRecord | None, arguments: Mapping[str, Any]) -> Any:
    """Read how the weights in a folder take inputs of a modality; None where nothing is known of that.

    Raise NotFoundError where a file is missing that must lie beside them, IntegrityError for a wrong one.
    """
    name = record.modality if record else modality
    return load_modality(name).read_inputs(folder, record.values if record else None, arguments)


def _offered(head: _Head, source: str) -> Offer[ModalitySpec]:
    registry = default_registry()
    try:
        offer = registry.modality(head.modality)
    except NotFoundError:
        raise NotFoundError(
            f"{source} takes {head.modality!r}, which plugin {head.plugin} knows and nobody here: "
            f"{install_command(head.plugin)}"
        ) from None
    if offer.plugin.distribution != head.plugin:
        raise IntegrityError(
            f"{source} says that plugin {head.plugin} knows {head.modality!r}, but here {offer.plugin.distribution} "
            "does; get a fresh copy, or install the plugin that it names"
        )
    return offer


def _struct(offer: Offer[ModalitySpec]) -> type[Struct]:
    try:
        found: type[Struct] = load_target(offer.spec.record)
    except Exception as error:
        raise PluginError(
            f"record {offer.spec.record!r} of {offer.plugin.distribution} {offer.plugin.version} failed: "
            f"{type(error).__name__}: {error}; `zoo plugins` shows all plugins"
        ) from error
    return found


def _object(value: Any, key: str, source: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise IntegrityError(f"{source} is not what zoo writes: $.zoo.{key} is no object; get a fresh copy")
    return value


def _converted(values: dict[str, Any], struct: type[Any], source: str) -> Any:
    try:
        return msgspec.convert(values, struct)
    except msgspec.ValidationError as error:
        known = ", ".join(field.name for field in msgspec.structs.fields(struct))
        allowed = f"; allowed are {known}" if "unknown field" in str(error) else ""
        raise IntegrityError(
            f"{source} is not what zoo writes: {error} in its inputs{allowed}; get a fresh copy"
        ) from None
