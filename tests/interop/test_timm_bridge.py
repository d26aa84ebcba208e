"""The bridge to timm: architectures of 20 families and more give what timm's own do, and keep what backbones must.

Needs timm: `make test-interop`.
"""

from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from PIL import Image
from torch import Tensor

import zoo
from zoo.registry.registry import default_registry
from zoo.testing import ModelTests, RecipeTests
from zoo.weights.config import read_config

timm = pytest.importorskip("timm", reason="needs timm beside torchvision: make test-interop")
pytest.importorskip("zoo_timm", reason="needs zoo-timm: make test-interop")
if not any(offer.spec.name == "timm" for offer in default_registry().families()):
    pytest.skip("needs zoo-timm installed: benchmarks/peers.sh installs it", allow_module_level=True)


class Case(NamedTuple):
    """An architecture, at the smallest size that it takes: of its pictures, and of itself by timm's own arguments."""

    name: str
    side: int = 64
    options: dict[str, Any] = {}


CASES: tuple[Case, ...] = (
    Case("resnet50d", options={"layers": [1, 1, 1, 1]}),
    Case("cait_xxs24_224"),
    Case("convit_tiny"),
    Case("convmixer_768_32", 70),
    Case("cs3darknet_focus_s"),
    Case("cspnext_tiny"),
    Case("davit_tiny"),
    Case("deit_tiny_distilled_patch16_224"),
    Case("densenet121"),
    Case("eca_nfnet_l0"),
    Case("edgenext_xx_small"),
    Case("efficientformerv2_s0"),
    Case("efficientvit_b0"),
    Case("eva02_tiny_patch14_224", 70),
    Case("fastvit_t8"),
    Case("gmlp_ti16_224"),
    Case("iformer_t"),
    Case("inception_next_atto"),
    Case("levit_128s"),
    Case("mambaout_femto"),
    Case("mixer_s32_224"),
    Case("mobilenetv1_100"),
    Case("mobilevit_xxs"),
    Case("mobilevitv2_050"),
    Case("nest_tiny_jx"),
    Case("poolformer_s12"),
    Case("pvt_v2_b0"),
    Case("regnetx_002"),
    Case("repvit_m0_9"),
    Case("resnest14d"),
    Case("resnet10t"),
    Case("starnet_s1"),
    Case("swiftformer_xs"),
    Case("swin_tiny_patch4_window7_224"),
    Case("swinv2_cr_tiny_ns_224"),
    Case("test_byobnet"),
    Case("test_convnext"),
    Case("test_nfnet"),
    Case("test_vit"),
    Case("tiny_vit_5m_224"),
    Case("tnt_s_legacy_patch16_224"),
    Case("visformer_tiny"),
    Case("xcit_nano_12_p16_224"),
)
IDS = [case.name for case in CASES]
CLASSES = ("ant", "bee", "cat")


def spec(case: Case) -> zoo.ModelSpec:
    return default_registry().model(f"timm/{case.name}").spec


def sized(case: Case) -> bool:
    return spec(case).target.endswith(":sized_backbone")


def arguments(case: Case) -> dict[str, Any]:
    """Return what Zoo makes the small model with."""
    return {"options": case.options, **({"image_size": case.side} if sized(case) else {})}


def pictures(case: Case, count: int = 2) -> Tensor:
    return torch.rand(count, 3, case.side, case.side, generator=torch.Generator().manual_seed(0))


def timms_folder(case: Case, folder: Path) -> Any:
    """Have timm make a model with random weights and write its folder; return the model."""
    said = {**case.options, **({"img_size": case.side} if sized(case) else {})}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = timm.create_model(case.name, num_classes=len(CLASSES), **said)
    timm.models.save_for_hf(model, folder, safe_serialization=True, model_args=said, model_config=_named(CLASSES))
    return model.eval()


def _named(classes: tuple[str, ...]) -> dict[str, Any]:
    return {"label_names": list(classes)}


def test_there_are_forty_of_twenty_families() -> None:
    assert len(CASES) >= 40 and len({timm.models.model_entrypoint(case.name).__module__ for case in CASES}) >= 20


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_folder_of_timms_gives_what_timm_gives(case: Case, tmp_path: Path) -> None:
    theirs, x = timms_folder(case, tmp_path), pictures(case)
    ours: Any = deepcopy(zoo.load(tmp_path))  # mapped from a file, at odd addresses, sums round otherwise
    block = read_config(tmp_path)
    assert (block.plugin, block.labels) == ("zoo-timm", CLASSES)
    with torch.no_grad():
        assert torch.equal(ours(x), theirs(x))
        assert torch.equal(ours.forward_head(ours.forward_features(x), pre_logits=True), _pooled(theirs, x))
    assert block.preprocessing is not None and block.preprocessing.mean == theirs.pretrained_cfg["mean"]


def _pooled(model: Any, x: Tensor) -> Tensor:
    pooled: Tensor = model.forward_head(model.forward_features(x), pre_logits=True)
    return pooled


class Conformance(ModelTests):
    """The suite of `zoo.testing` for one of the cases."""

    case: Case
    __test__ = False

    def arguments(self) -> dict[str, Any]:
        return arguments(self.case)

    def inputs(self) -> Tensor:
        return pictures(self.case)


for _case in CASES:
    _members = {"case": _case, "name": f"timm/{_case.name}", "__test__": True}
    globals()[f"Test_{_case.name}"] = type(f"Test_{_case.name}", (Conformance,), _members)


class Learning(RecipeTests):
    """Steps of a recipe on one of the cases."""

    __test__ = False
    classes = CLASSES

    def __init__(self, case: Case, recipe: str, batch: dict[str, Tensor], settings: dict[str, Any]) -> None:
        self.model, self.case, self.name = f"timm/{case.name}", case, recipe
        self._given, self._settings = batch, settings

    def arguments(self) -> dict[str, Any]:
        return arguments(self.case)

    def settings(self) -> dict[str, Any]:
        return self._settings

    def batch(self) -> dict[str, Tensor]:
        return self._given


def targets(case: Case, recipe: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return what a task of images learns from, and settings that make it quick."""
    if recipe == "image_classification":
        return {"labels": torch.arange(2) % 3}, {"augmentation": "none"}
    if recipe == "image_segmentation":
        masks = torch.arange(2 * case.side * case.side).reshape(2, case.side, case.side) % 3
        return {"masks": masks.to(torch.uint8)}, {"width": 8}
    boxes = torch.zeros(2, 1, 6)
    boxes[:, 0] = torch.tensor([8.0, 8.0, 40.0, 40.0, 1.0, 0.0])
    sizes = torch.full((2, 2), case.side)
    return {"boxes": boxes, "sizes": sizes}, {"width": 8, "depth": 1}


@pytest.mark.parametrize("recipe", ["image_classification", "image_segmentation", "object_detection"])
@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_two_steps_of_finetuning(case: Case, recipe: str) -> None:
    if recipe != "image_classification" and "detection-ready" not in spec(case).capabilities:
        pytest.skip("its maps have no reduction that a pyramid has")
    found, settings = targets(case, recipe)
    learning = Learning(case, recipe, {"images": pictures(case), **found}, settings)
    with torch.random.fork_rng(devices=[]):
        losses = learning.losses(learning.stepper(), 0, 2)
    assert all(torch.tensor(losses).isfinite()), losses


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    timms_folder(CASES[0], tmp_path / "theirs")
    return tmp_path / "theirs"


def test_what_is_exported_opens_in_timm(folder: Path, tmp_path: Path) -> None:
    x = pictures(CASES[0])
    out = zoo.export(folder, to="timm", out=tmp_path / "ours")
    again = timm.create_model(f"local-dir:{out}", pretrained=True).eval()
    with torch.no_grad():
        assert torch.equal(again(x), deepcopy(zoo.load(folder))(x))


def test_other_classes_and_channels(folder: Path) -> None:
    x = pictures(CASES[0])
    grey = zoo.load(folder, channels=1, num_classes=7)
    with torch.no_grad():
        assert grey(x.mean(1, keepdim=True)).shape == (2, 7)
        assert torch.allclose(
            zoo.load(folder, channels=1)(x[:, :1]), zoo.load(folder)(x[:, :1].expand(-1, 3, -1, -1)), atol=1e-5
        )


def test_predict_embed_and_finetune_by_the_commands(folder: Path, tmp_path: Path, zoo_command: Any) -> None:
    data = tmp_path / "data"
    for place, name in enumerate(("red", "blue") * 6):
        picture = Image.new("RGB", (80, 60), name)
        picture.putpixel((place, place), (255, 255, 255))
        (data / name).mkdir(parents=True, exist_ok=True)
        picture.save(data / name / f"{place}.png")
    file = str(data / "red" / "0.png")
    predicted = zoo_command("predict", str(folder), file, "--json")
    assert predicted.returncode == 0, predicted.stderr
    assert any(name in predicted.stdout for name in CLASSES)
    embedded = zoo_command("embed", str(folder), file, "--out", str(tmp_path / "vectors.safetensors"))
    assert embedded.returncode == 0, embedded.stderr
    task = ("--task", "image-classification", "--data", str(data), "--out", str(tmp_path / "run"))
    tuned = zoo_command("finetune", str(folder), *task, "--set", "steps=2", "--set", "batch_size=4")
    assert tuned.returncode == 0, tuned.stderr
    assert set(zoo.describe(tmp_path / "run").labels) == {"red", "blue"}
    assert zoo.load(tmp_path / "run").predict([file])[0]["label"] in ("red", "blue")
