"""What strangers bring by hooks: trackers, layouts, methods, formats, weights in distributions, what yields."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import zoo
from zoo.errors import IntegrityError, NotFoundError, PluginError, UsageError
from zoo.registry.registry import default_registry
from zoo.training.result import RunResult

EXTRAS = """
import zoo

@zoo.hookimpl
def zoo_trackers():
    yield zoo.TrackerSpec(name="diary", summary="Write down what happens", target="zoo_extras_more:Diary")

@zoo.hookimpl
def zoo_methods():
    yield zoo.MethodSpec(name="biases", summary="Let biases and the head learn", target="zoo_extras_more:Biases")

@zoo.hookimpl
def zoo_layouts():
    yield zoo.LayoutSpec(name="author", summary="How the author stores it", target="zoo_extras_more:LAYOUTS")

@zoo.hookimpl
def zoo_formats():
    yield zoo.FormatSpec(name="npz", summary="NumPy's archive", target="zoo_extras_more:npz", suffixes=(".npz",))

@zoo.hookimpl
def zoo_explainers():
    yield zoo.ExplainerSpec(name="loudness", summary="Say how loud it is", target="zoo_extras_more:Diary",
                            modality="audio")
"""
MORE = """
import zipfile
from typing import NamedTuple

import numpy as np
import torch
import zoo
from safetensors.numpy import load_file


class Diary:
    events = []

    def start(self, folder, resolved, step): self.events.append("start")
    def log(self, event, step, figures): self.events.append(event)
    def picture(self, path, step): self.events.append(path.name)
    def close(self): self.events.append("close")


class Biases:
    def __init__(self, settings, network):
        self.settings, self.network = settings, network
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name.endswith("bias") or name.startswith("head"))

    @property
    def backbone(self): return self.network
    def optimizer(self):
        groups = zoo.parameter_groups(self.network, self.settings)
        return zoo.make_optimizer(self.settings.optimizer, groups, self.settings)
    def train(self): self.network.train()
    def export(self): return self.network.requires_grad_(True).eval()


LAYOUTS = (
    zoo.Layout(library="author", models={"tone_net": {}}, stem="stem.weight", classifier="head.weight",
               renames=(zoo.Rename("front", "stem"), zoo.Rename("classify", "head")),
               labels=("sawtooth", "sine", "square"), inputs={"rate": 8000, "samples": 400}),
    zoo.Layout(library="numpy", models={"tone_net": {}}, stem="stem.weight", classifier="head.weight",
               inputs={"rate": 8000, "samples": 400}),
)


class Header(NamedTuple):
    dtype: str
    shape: tuple


class Archive:
    library, config = "numpy", {}

    def __init__(self, path):
        self.path = path
        try:
            with open(path, "rb") as content, np.load(content, allow_pickle=False) as file:
                self.arrays = dict(file)
        except (ValueError, OSError, zipfile.BadZipFile) as error:
            raise zoo.IntegrityError(f"{path} is no archive of arrays: {error}; get a fresh copy") from None
        self.headers = {name: Header("F32", array.shape) for name, array in self.arrays.items()}

    def load(self, device="cpu"):
        return {name: torch.from_numpy(array).to(device) for name, array in self.arrays.items()}


class Npz:
    def recognizes(self, path):
        with open(path, "rb") as file:
            return file.read(2) == b"PK"

    def open(self, path): return Archive(path)

    def write(self, weights, out):
        with open(out, "wb") as file:
            np.savez(file, **load_file(weights / "model.safetensors"))


npz = Npz()
"""


@pytest.fixture
def extras(site: Any) -> Any:
    """Install a plugin with one of everything, beside that of sounds, which it knows."""
    site.install_package(Path(__file__).parent / "modalities" / "zoo_tones")
    site.install("zoo-extras", EXTRAS)
    (site.folder / "zoo_extras_more.py").write_text(MORE)
    default_registry.cache_clear()
    return site


@pytest.fixture
def run(extras: Any, tmp_path: Path) -> RunResult:
    """Return a run that has begun to tell sounds apart."""
    first = zoo.pretrain("tone_net", data="tones", out=tmp_path / "first", settings={"steps": 1})
    return zoo.finetune(
        first.folder, task="audio-classification", data="tones", out=tmp_path / "second", settings={"steps": 2}
    )


@pytest.fixture
def authors(run: RunResult, tmp_path: Path) -> Path:
    """Return the weights of a run as their author stores them."""
    theirs = {"stem": "front", "head": "classify"}
    tensors = {
        ".".join([theirs.get(name.split(".")[0], name.split(".")[0]), *name.split(".")[1:]]): tensor
        for name, tensor in load_file(run.weights / "model.safetensors").items()
    }
    save_file(tensors, tmp_path / "author.safetensors")
    return tmp_path / "author.safetensors"


def same(model: Any, other: Any) -> bool:
    sounds = torch.rand(3, 400, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return torch.equal(model(sounds), other(sounds))


def test_everything_is_counted(extras: Any, zoo_command: Any) -> None:
    (line,) = [line for line in zoo_command("plugins").stdout.splitlines() if line.startswith("zoo-extras ")]
    assert line.split(maxsplit=2)[2] == "1 format, 1 layout, 1 method, 1 explainer, 1 tracker"


def test_a_tracker_goes_by_its_name(extras: Any, tmp_path: Path) -> None:
    import zoo_extras_more  # type: ignore[import-not-found]

    zoo.pretrain("tone_net", data="tones", out=tmp_path / "run", settings={"steps": 2}, track=("diary",))
    assert zoo_extras_more.Diary.events[0] == "start" and zoo_extras_more.Diary.events[-1] == "close"
    assert {"train", "test", "curves.png"} <= set(zoo_extras_more.Diary.events)
    with pytest.raises(UsageError, match="no tracker 'dairy'; did you mean diary"):
        zoo.pretrain("tone_net", data="tones", out=tmp_path / "other", track=("dairy",))


def test_a_method_of_finetuning_goes_by_its_name(run: RunResult, tmp_path: Path, zoo_command: Any) -> None:
    again = zoo.finetune(
        run.folder,
        task="audio-classification",
        data="tones",
        out=tmp_path / "biases",
        method="biases",
        settings={"steps": 3},
    )
    before, after = (load_file(folder / "model.safetensors") for folder in (run.weights, again.weights))
    learnt = {name for name in before if not torch.equal(before[name], after[name])}
    assert learnt == {"stem.bias", "block.bias", "head.weight", "head.bias"}
    assert "biases" in zoo_command("finetune", "--help").stdout
    with pytest.raises(NotFoundError, match="no method named 'biasses'; did you mean biases"):
        zoo.finetune(run.folder, task="audio-classification", data="tones", out=tmp_path / "none", method="biasses")


def test_a_layout_is_of_a_model_of_another_plugin(run: RunResult, authors: Path) -> None:
    model = zoo.load(authors)
    assert same(model, zoo.load(run.folder))
    described = zoo.describe(authors)
    assert (described.plugin, described.labels) == ("zoo-tones", ("sawtooth", "sine", "square"))
    assert described.inputs == zoo.describe(run.folder).inputs
    assert described.task == "audio-classification" and model.predict.columns == ("label", "score")


def test_a_format_is_written_and_read(run: RunResult, tmp_path: Path, zoo_command: Any) -> None:
    out = tmp_path / "sounds.npz"
    zoo.export(run.folder, to="npz", out=out)
    assert same(zoo.load(out), zoo.load(run.folder))
    assert zoo.describe(out).architecture == "tone_net"
    done = zoo_command("export", str(run.folder), "--to", "npz", "--out", str(tmp_path / "again.npz"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again.npz").read_bytes()[:2] == b"PK"
    with pytest.raises(UsageError, match="'npy' is not an export target; choose one of.*npz"):
        zoo.export(run.folder, to="npy", out=tmp_path / "x")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"neither"])
def test_a_file_that_a_format_cannot_read_is_named(extras: Any, tmp_path: Path, content: bytes) -> None:
    broken = tmp_path / "broken.npz"
    broken.write_bytes(content)
    with pytest.raises(IntegrityError, match="broken.npz"):
        zoo.load(broken)


def test_a_format_that_fails_leaves_nothing(run: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zoo_extras_more

    def fail(weights: Path, out: Path) -> None:
        out.write_bytes(b"half")
        raise UsageError("there is no place for it")

    monkeypatch.setattr(zoo_extras_more.npz, "write", fail, raising=False)
    before = set(tmp_path.iterdir())
    with pytest.raises(UsageError, match="no place"):
        zoo.export(run.folder, to="npz", out=tmp_path / "x.npz")
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("what", ["open", "write"])
def test_a_format_that_breaks_is_named(
    run: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    import zoo_extras_more

    zoo.export(run.folder, to="npz", out=tmp_path / "x.npz")
    monkeypatch.setattr(zoo_extras_more.npz, what, lambda *arguments: 1 / 0, raising=False)
    with pytest.raises(PluginError, match="format 'npz' of zoo-extras 1.0 failed: ZeroDivisionError"):
        zoo.load(tmp_path / "x.npz") if what == "open" else zoo.export(run.folder, to="npz", out=tmp_path / "y.npz")


def test_a_modality_that_breaks_is_named(extras: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zoo_tones.modality  # type: ignore[import-not-found]

    monkeypatch.setattr(zoo_tones.modality.modality, "open", lambda *arguments: 1 / 0, raising=False)
    with pytest.raises(PluginError, match="modality 'audio' of zoo-tones 1.0 failed: ZeroDivisionError"):
        zoo.pretrain("tone_net", data="tones", out=tmp_path / "run")
    monkeypatch.setattr(zoo_tones.modality.modality, "open", lambda *arguments: ([], {}), raising=False)
    with pytest.raises(PluginError, match="opened 'tones' as a list with dict, no zoo.Dataset"):
        zoo.pretrain("tone_net", data="tones", out=tmp_path / "run")


def test_inputs_that_config_json_cannot_keep_are_named_before_training(
    extras: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zoo_tones.sound import Sound  # type: ignore[import-not-found]

    for record, said in (
        (Sound(rate=8000, samples=float("inf")), "cannot keep"),
        ({"rate": object()}, "cannot keep"),
        ({"rate": 8000, "samples": 400}, "give back as Sound"),
    ):
        monkeypatch.setattr(Sound, "record", lambda self, record=record: record)
        with pytest.raises(PluginError, match=f"modality 'audio' of zoo-tones records its inputs as .*{said}"):
            zoo.pretrain("tone_net", data="tones", out=tmp_path / "run")
        assert not (tmp_path / "run").exists()


def installed_file(site: Any, authors: Path) -> Path:
    """Put weights into the distribution zoo-extras, listed with their hash as an installer does."""
    place = site.folder / "zoo_extras_data" / "tones.safetensors"
    place.parent.mkdir()
    place.write_bytes(authors.read_bytes())
    digest = base64.urlsafe_b64encode(hashlib.sha256(place.read_bytes()).digest()).decode().rstrip("=")
    record = site.folder / "zoo_extras-1.0.dist-info" / "RECORD"
    record.write_text(f"zoo_extras_data/tones.safetensors,sha256={digest},{place.stat().st_size}\nzoo_extras.py,,\n")
    return place


def test_weights_of_an_installed_distribution_are_hashed(extras: Any, run: RunResult, authors: Path) -> None:
    place, address = installed_file(extras, authors), "dist://zoo-extras/zoo_extras_data/tones.safetensors"
    assert same(zoo.load(address), zoo.load(run.folder))
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.write_bytes(content)
    with pytest.raises(IntegrityError, match="is not what zoo-extras 1.0 installed; pip install --force-reinstall"):
        zoo.load(address)
    place.unlink()
    with pytest.raises(NotFoundError, match="cannot be read"):
        zoo.load(address)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("dist://zoo-nowhere/x.safetensors", "pip install zoo-nowhere"),
        ("dist://zoo-extras/other.safetensors", "lists no file 'other.safetensors' with a sha256"),
        ("dist://zoo-extras/zoo_extras.py", "lists no file 'zoo_extras.py' with a sha256"),
        ("dist://zoo-extras/../../etc/passwd", "lists no file"),
        ("dist://zoo-extras", "lists no file ''"),
        ("dist://", "no distribution ''"),
    ],
)
def test_what_no_distribution_has_is_named(extras: Any, tmp_path: Path, address: str, said: str) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    installed_file(extras, tmp_path / "x.safetensors")
    with pytest.raises(NotFoundError, match=said):
        zoo.load(address)


TWIN = """
import zoo
@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="twin", family="{family}", summary="{family}", target="zoo_twin:Twin", fallback={fallback})
"""


def test_a_fallback_yields_to_another_of_its_name(site: Any, zoo_command: Any) -> None:
    site.install("zoo-first", TWIN.format(family="first", fallback=False))
    site.install("zoo-bridge", TWIN.format(family="bridge", fallback=True))
    site.install("zoo-again", TWIN.format(family="again", fallback=True))
    registry = default_registry()
    assert registry.model("twin").plugin.distribution == "zoo-first"
    assert registry.model("bridge/twin").plugin.distribution == "zoo-bridge"
    assert zoo.list_models("twin") == ["twin"]
    assert not any(registry.conflicts(plugin) for plugin in registry.plugins)
    assert "also offered by" not in zoo_command("plugins").stdout


def test_a_fallback_is_taken_where_nothing_else_is(site: Any) -> None:
    site.install("zoo-bridge", TWIN.format(family="bridge", fallback=True))
    assert default_registry().model("twin").plugin.distribution == "zoo-bridge"
    site.install("zoo-again", TWIN.format(family="again", fallback=True))
    default_registry.cache_clear()
    with pytest.raises(PluginError, match="provided by both zoo-again and zoo-bridge; write again/twin or bridge/twin"):
        default_registry().model("twin")


NEWER = """
import zoo
@zoo.hookimpl(optionalhook=True)
def zoo_quantizers():
    yield "what a later zoo asks for"
"""


def test_a_plugin_may_be_newer_than_its_host(site: Any) -> None:
    site.install("zoo-newer", NEWER)
    site.install("zoo-both", NEWER + TWIN.format(family="both", fallback=False))
    plugins = {plugin.distribution: plugin for plugin in default_registry().plugins}
    assert plugins["zoo-newer"].error is None and plugins["zoo-newer"].offers == {}
    assert plugins["zoo-both"].error is None and default_registry().model("twin")


ASKING = """
import zoo
@zoo.hookimpl
def zoo_recipes():
    yield zoo.RecipeSpec(name="floating", stage="pretrain", summary="Float", target="zoo_asking:none", task="floating",
                         settings="zoo_asking:none", score="height", requires=("levitate",), modality=None)
    yield zoo.RecipeSpec(name="smelling", stage="pretrain", summary="Smell", target="zoo_asking:none", task="smelling",
                         settings="zoo_asking:none", score="height", modality="odour")

@zoo.hookimpl
def zoo_tasks():
    yield zoo.TaskSpec(name="sniffing", summary="Sniff", recipe="image_classification", score="accuracy",
                       learns_from="smells")
"""


def test_what_nobody_offers_is_said_at_once(site: Any, tmp_path: Path, zoo_command: Any) -> None:
    site.install("zoo-asking", ASKING)
    registry = default_registry()
    with pytest.raises(PluginError, match="requires models that can 'levitate', which none here offers; install"):
        registry.recipe("floating")
    with pytest.raises(PluginError, match="is for odour data, which no plugin here offers; .* author of zoo-asking"):
        registry.recipe("smelling")
    with pytest.raises(PluginError, match="learns from 'smells', and image data have images, labels, boxes, masks"):
        zoo.finetune(tmp_path, task="sniffing", data="fashion_mnist_sample", out=tmp_path / "run")
    shown = json.loads(zoo_command("plugins", "--json").stdout)
    (notes,) = [row["notes"] for row in shown if row["plugin"] == "zoo-asking"]
    assert len(notes) == 3 and all("nobody" not in note for note in notes)


OPTION = """
import zoo
@zoo.hookimpl
def zoo_tasks():
    yield zoo.TaskSpec(name="asking", summary="Ask", recipe="image_classification", score="accuracy",
                       options=(zoo.OptionSpec({option}),))
"""


@pytest.mark.parametrize(
    ("option", "cause"),
    [
        ("name='out', summary='Somewhere'", "option 'out' is one of `zoo predict` itself"),
        ("name='hurry', short='h', summary='Hurry'", "short 'h' of option 'hurry' must be one letter"),
        ("name='top', short='kk', summary='Top'", "short 'kk' of option 'top' must be one letter"),
        ("name='Top', summary='Top'", "lower-case"),
    ],
)
def test_an_option_that_would_take_another_ones_place_is_refused(site: Any, option: str, cause: str) -> None:
    site.install("zoo-asking", OPTION.format(option=option))
    (plugin,) = [plugin for plugin in default_registry().plugins if plugin.distribution == "zoo-asking"]
    assert cause in str(plugin.error)
