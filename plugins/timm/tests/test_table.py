"""The table that ships with the plugin, read without timm: every row becomes a spec, a layout and an entry."""

import json
import re
import subprocess
import sys
from collections import Counter

import pytest
from zoo_timm import layouts
from zoo_timm.table import family, table

import zoo
from zoo.cli import run
from zoo.registry.registry import default_registry

LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]+")


@pytest.fixture(scope="module")
def specs() -> list[zoo.ModelSpec]:
    return [family.model(name) for name in family.models()]


def test_the_hook_counts_what_the_table_holds() -> None:
    (offer,) = [offer for offer in default_registry().families() if offer.spec.name == "timm"]
    assert (offer.spec.models, offer.spec.weights) == (len(family.models()), len(family.weights()))
    assert offer.spec.models > 1300 and offer.spec.weights > 1600


def test_listing_imports_neither_timm_nor_torch() -> None:
    code = """if True:
    import sys
    from zoo.cli import main
    try:
        main(["list", "eva02*"])
    except SystemExit as done:
        assert not done.code
    assert not {"timm", "torch", "numpy"} & set(sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "eva02_tiny_patch14_224" in done.stdout, done.stderr


def test_without_a_question_the_table_stays_closed() -> None:
    code = """if True:
    import sys
    from zoo.cli import main
    try:
        main(["list"])
    except SystemExit as done:
        assert not done.code
    assert "zoo_timm.table" not in sys.modules
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "\ntimm  " in done.stdout, done.stderr


def test_every_architecture_is_described(specs: list[zoo.ModelSpec]) -> None:
    assert all(spec.fallback and spec.family == "timm" and spec.parameters for spec in specs)
    by_name = {spec.name: spec for spec in specs}
    assert by_name["resnet50"].parameters == 25_557_032
    assert by_name["vit_base_patch14_dinov2"].arguments["num_classes"] == 0
    assert by_name["resnet50"].target.endswith(":backbone") and by_name["vit_base_patch16_224"].target.endswith(
        "sized_backbone"
    )
    assert "detection-ready" in by_name["resnet50"].capabilities
    assert "detection-ready" not in by_name["vit_base_patch14_dinov2"].capabilities, "14 is no power of two"


def test_facts_are_timms_own() -> None:
    resnet = table().architectures["resnet50"]
    assert resnet.features == ((64, 2, 1), (256, 4, 1), (512, 8, 1), (1024, 16, 1), (2048, 32, 1))
    assert (resnet.macs, resnet.macs_size) == (4_110_000_000, 224)
    weights = table().weights["resnet50.a1_in1k"]
    assert (weights.repo, weights.license, weights.data) == ("timm/resnet50.a1_in1k", "apache-2.0", ("imagenet-1k",))
    assert weights.top1 == pytest.approx(0.812, abs=0.003) and weights.scored_size == 288
    unknown = [name for name, row in table().weights.items() if row.top1 is None]
    assert unknown and all(zoo.published(name).scores == {} for name in unknown[:5]), "unknown stays empty"


def test_every_architecture_has_a_layout() -> None:
    for name, row in table().architectures.items():
        (layout,) = getattr(layouts, name)
        assert layout.models == {name: {"architecture": name}} and layout.stem == row.first and layout.classifier
    with pytest.raises(AttributeError):
        _ = layouts.nothing_of_timm


def test_every_entry_of_weights_is_complete() -> None:
    for name, entry in default_registry().family_weights():
        assert entry.repo.partition("/")[0] and not entry.files and not entry.pinned
        assert LICENCE.fullmatch(entry.license) and name.partition(".")[0] in family.models()
    assert Counter(row.license for row in table().weights.values())["apache-2.0"] > 1000


def test_a_name_that_zoo_cnn_has_is_reached_with_the_familys() -> None:
    known = default_registry()
    assert known.model("resnet50").plugin.distribution == "zoo-cnn"
    assert known.model("timm/resnet50").plugin.distribution == "zoo-timm"
    assert known.model("eva02_tiny_patch14_224").plugin.distribution == "zoo-timm"
    assert "resnet50" in zoo.list_models("resnet50*", family="cnn")
    assert "resnet50" not in zoo.list_models("resnet50*", family="timm")


def test_pinned_weights_of_the_catalogue_come_first() -> None:
    assert zoo.published("resnet50.a1_in1k").pinned
    assert not zoo.published("resnet50.a2_in1k").files


def test_without_timm_the_line_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(zoo.UsageError, match=r"need timm, .*: pip install 'zoo-timm\[timm\]'"):
        zoo.create("timm/resnet50")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"pretrained": True}, "'pretrained'"),
        ({"checkpoint_path": "a.pth"}, "'checkpoint_path'"),
        ({"pretrained_cfg": {"file": "a.pth"}}, "'pretrained_cfg'"),
        ({"embed_dim": 10**9}, "beyond its limit"),
        ({"block_fn": {"a": 1}}, "neither number nor text"),
    ],
)
def test_options_that_read_files_or_are_absurd(options: dict[str, object], reason: str) -> None:
    with pytest.raises(zoo.UsageError, match=reason):
        zoo.create("timm/resnet50", options=options)


def test_an_architecture_by_another_name_is_not_fetched() -> None:
    with pytest.raises(zoo.UsageError, match="no architecture 'hf-hub:a/b'"):
        zoo.create("timm/resnet50", architecture="hf-hub:a/b")


def test_what_a_family_knows_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["info", "timm/resnet50", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plugin"].startswith("zoo-timm ")
    assert run(["info", "eva02_tiny_patch14_224.mim_in22k", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["repo"], found["plugin"]) == ("weights", f"timm/{found['name']}", "zoo-timm")
    assert run(["info", "timm/resnet5", "--json"]) == 3
    assert "timm/resnet5 is a repo on a Hub" in capsys.readouterr().err
