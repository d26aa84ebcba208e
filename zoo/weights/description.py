"""What config.json says of weights: Zoo's own block, with a closed schema, and the JSON that it stands in."""

from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from zoo.errors import IntegrityError
from zoo.files import check_plain
from zoo.strict_json import parse_json
from zoo.weights.inputs import InputsRecord, Preprocessing, Tokenization

FORMAT_VERSION = 2
_CODE_KEYS = ("auto_map", "trust_remote_code", "model_file", "custom_pipelines", "plugins")


class RecipeRecord(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which recipe made the weights, and with which settings."""

    name: str
    settings: dict[str, Any]


class DataRecord(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which data the weights have seen. `fingerprint` is the sha256 over its contents."""

    name: str
    fingerprint: str
    license: str = "unknown"


class BaseRecord(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The weights that an adapter belongs to: a repo on the Hub, at one commit.

    `sha256` is that of their tensors, by which they are known where the repo was copied and has other commits.
    """

    repo: Annotated[str, Meta(pattern=r"^[\w.-]{1,96}/[\w.-]{1,96}\Z")]
    commit: Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")] | None = None


class AdapterRecord(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the tensors beside this correct those of the base."""

    rank: Annotated[int, Meta(ge=1, le=4096)]
    alpha: Annotated[float, Meta(gt=0)]
    base: BaseRecord


DType = Literal["float32", "float16", "bfloat16", "float64"]


class WeightsDescription(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that it takes to build the model again and to use it rightly.

    `dtype` is that of floating-point tensors once they are loaded, None where it is the model's own.

    `head` has the arguments of the task's network on the model, None where the model's own classifier is all. `inputs`
    are None where nobody said how data become inputs. With `adapter` the tensors are what was learnt on top of other
    weights.
    """

    format_version: int
    plugin: str
    plugin_version: str
    architecture: str
    arguments: dict[str, Any]
    head: dict[str, Any] | None = None
    task: str
    labels: tuple[str, ...] = ()
    inputs: InputsRecord | None = None
    recipe: RecipeRecord | None = None
    data: DataRecord | None = None
    adapter: AdapterRecord | None = None
    dtype: DType | None = None

    @property
    def preprocessing(self) -> Preprocessing | None:
        """How images become inputs; None for weights of anything else."""
        return self.inputs.values if self.inputs and isinstance(self.inputs.values, Preprocessing) else None

    @property
    def tokenization(self) -> Tokenization | None:
        """How text becomes inputs; None for weights of anything else."""
        return self.inputs.values if self.inputs and isinstance(self.inputs.values, Tokenization) else None


def read_json(folder: Path) -> dict[str, Any]:
    """Return what config.json holds, nothing where there is none. Raise IntegrityError where it asks to run code."""
    path = folder / "config.json"
    check_plain(path)
    try:
        with open(path, "rb") as file:
            content = file.read(6 * 1024 * 1024)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    values = parse_json(content, str(path))
    if code := [key for key in _CODE_KEYS if key in values]:
        raise IntegrityError(f"{path} asks to run its own code ({', '.join(code)}), which zoo never does; remove it")
    return values
