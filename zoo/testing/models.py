"""What every backbone must keep. A test's failure says what a good citizen does instead."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import zoo
from zoo.hub.push import push_folder
from zoo.hub.server.serving import serve_folder
from zoo.registry.registry import Offer, default_registry
from zoo.specs.records import ModelSpec
from zoo.testing.texts import TextTests, batch_size, called, spoken, takes_tokens
from zoo.weights.build import build, full_arguments
from zoo.weights.folder import save_weights

_OFFER = """
import sys
from zoo.registry.registry import default_registry
default_registry().model({name!r})
heavy = {{"torch", "numpy", "transformers"}} & set(sys.modules)
sys.exit(f"imported {{sorted(heavy)}}" if heavy else 0)
"""


class ModelTests(TextTests):
    """Inherit, set `name`, give `inputs()`; `arguments()` may make it small, `parameter_names` be a stored list."""

    name: str
    parameter_names: Path | None = None

    def arguments(self) -> dict[str, Any]:
        """Return keyword arguments that make the model quick to test."""
        return {}

    def inputs(self) -> Any:
        """Return a batch of two or more, as the model takes it: images, or a dict with a text's input_ids."""
        raise NotImplementedError(
            "return a batch of example inputs, such as torch.rand(2, 3, 32, 32), or of a text a dict with input_ids"
        )

    @property
    def offer(self) -> Offer[ModelSpec]:
        """The model as the registry offers it."""
        return default_registry().model(self.name)

    def model(self) -> Any:
        """Return a fresh model from a fixed seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return zoo.create(self.name, **self.arguments())

    def test_offered_without_torch(self) -> None:
        done = subprocess.run([sys.executable, "-c", _OFFER.format(name=self.name)], capture_output=True, text=True)
        assert done.returncode == 0, (
            f"hooks yield records alone; import torch inside the target's module: {done.stderr}"
        )

    def test_target_resolves_to_a_module(self) -> None:
        assert isinstance(self.model(), nn.Module), "the target returns an nn.Module"

    def test_arguments_are_json_and_rebuild_the_model(self) -> None:
        arguments = full_arguments(self.offer, self.arguments())
        again = json.loads(json.dumps(arguments))
        assert again == arguments, "arguments are what config.json can store: numbers, texts, lists, objects"
        assert _shapes(build(self.offer, again)) == _shapes(self.model()), "equal arguments build equal models"

    def test_parameters_are_counted(self) -> None:
        if (stated := self.offer.spec.parameters) is None:
            return
        model = build(self.offer, full_arguments(self.offer, {}), device="meta")
        counted = sum(parameter.numel() for parameter in model.parameters())
        assert counted == stated, f"ModelSpec.parameters is {stated:,}, the default model has {counted:,}"

    def test_creation_leaves_threads_alone(self) -> None:
        threads = torch.get_num_threads()
        self.model()
        assert torch.get_num_threads() == threads, "a model does not set torch's threads; that is for its user"

    def test_creation_seeds_nothing(self) -> None:
        with torch.random.fork_rng(devices=[]):
            states = []
            for seed in (1, 2):
                torch.manual_seed(seed)
                zoo.create(self.name, **self.arguments())
                states.append(torch.random.get_rng_state())
        assert not torch.equal(*states), (
            "a model does not call torch.manual_seed; initialisation draws from what is there"
        )

    def test_forward_is_finite(self) -> None:
        with torch.no_grad():
            output = called(self.model().eval(), self.inputs())
        assert output.shape[0] == batch_size(self.inputs()), "forward keeps the batch as its first dimension"
        assert output.isfinite().all(), "forward gives finite numbers with fresh weights"

    def test_every_parameter_gets_a_gradient(self) -> None:
        model, inputs = self.model().train(), self.inputs()
        model.reset_classifier(3)
        loss: Any = called(model, inputs).square().mean()
        if "reconstruct" in self.offer.spec.capabilities:
            loss = loss + model.reconstruct(inputs).square().mean()
        if "language-model" in self.offer.spec.capabilities:
            loss = loss + model.lm_logits(spoken(model, inputs["input_ids"])).square().mean()
        if "sample" in self.offer.spec.capabilities:
            loss = loss + model.sample(len(inputs)).square().mean()
        if isinstance(model, zoo.Adversarial):
            labels = torch.arange(len(inputs)) % model.classes if model.classes else None
            loss = loss + model.discriminator(model.sample(len(inputs), labels), labels).square().mean()
        loss.backward()
        without = [name for name, parameter in model.named_parameters() if parameter.grad is None]
        assert not without, f"every parameter takes part in forward, reconstruct or sample; these do not: {without}"

    def test_reset_classifier(self) -> None:
        model = self.model().eval()
        for classes in (3, 7):
            model.reset_classifier(classes)
            assert model.num_classes == classes, "reset_classifier sets num_classes"
            assert called(model, self.inputs()).shape[-1] == classes, "after reset_classifier(n) forward gives n logits"
            assert isinstance(model.get_classifier(), nn.Module), "get_classifier returns the head"
        model.reset_classifier(0)
        assert called(model, self.inputs()).shape[-1] == model.num_features, (
            "without a head forward gives the pooled features"
        )

    def test_features_are_as_wide_as_said(self) -> None:
        model, inputs = self.model().eval(), self.inputs()
        features = called(model.forward_features, inputs)
        pooled = model.forward_head(features, pre_logits=True)
        assert pooled.shape == (batch_size(inputs), model.num_features), "pre_logits features are (batch, num_features)"
        if takes_tokens(inputs):
            said = (*inputs["input_ids"].shape, model.num_features)
            assert features.shape == said, "features of a text are (batch, tokens, num_features)"

    def test_feature_info_tells_the_truth(self) -> None:
        if isinstance(self.inputs(), dict):
            return  # inputs of several kinds have no map of their own size
        model, inputs = self.model().eval(), self.inputs()
        final, maps = model.forward_intermediates(inputs)
        assert len(maps) == len(model.feature_info), "feature_info has one entry a stage"
        assert torch.equal(final, model.forward_features(inputs)), "forward_intermediates gives forward_features first"
        modules = dict(model.named_modules())
        for stage, info in zip(maps, model.feature_info, strict=True):
            # (batch, channels, …) of images, (batch, samples) of sound; a row of numbers may become a vector at once
            positions = inputs.shape[2 if inputs.ndim > 2 else 1 :] if stage.ndim > 2 or inputs.ndim > 2 else ()
            size = tuple(math.ceil(length / info.reduction) for length in positions)
            said = (len(inputs), info.channels, *size)
            found = tuple(stage.shape)
            # convolutions without padding leave the last position of a sound out
            edge = int(inputs.ndim < 4 and len(found) == len(said) == 3 and found[2] == said[2] - 1)
            assert (*found[:2], *(length + edge for length in found[2:])) == said, (
                f"feature_info says {said}, the map is {found}"
            )
            assert info.module in modules, f"feature_info names {info.module!r}, which is no module of the model"
        (last,) = model.forward_intermediates(inputs, indices=1, intermediates_only=True)
        assert torch.equal(last, maps[-1]), "indices=1 gives the last stage"

    def test_groups_and_decay_name_parameters(self) -> None:
        model = self.model()
        names = {name for name, _ in model.named_parameters()}
        assert set(model.no_weight_decay()) <= names, "no_weight_decay names parameters"
        assert {"stem", "blocks"} <= set(model.group_matcher()), "group_matcher has the keys stem and blocks"
        model.set_grad_checkpointing(True)
        model.set_grad_checkpointing(False)

    def test_reconstructs_what_it_sees(self) -> None:
        if "reconstruct" not in self.offer.spec.capabilities:
            return
        inputs = self.inputs()
        with torch.no_grad():
            outputs = self.model().eval().reconstruct(inputs)
        assert outputs.shape == inputs.shape, "reconstruct gives the shape that it got"
        assert outputs.isfinite().all(), "reconstruct gives finite numbers with fresh weights"
        if 0 <= float(inputs.min()) and float(inputs.max()) <= 1:
            assert 0 <= float(outputs.min()) and float(outputs.max()) <= 1, (
                "of what lies in [0, 1], such as pixels, reconstruct gives what lies there too"
            )

    def test_samples_by_its_generator(self) -> None:
        if "sample" not in self.offer.spec.capabilities:
            return
        model, inputs = self.model().eval(), self.inputs()
        assert isinstance(model, zoo.Sampler), "what can sample has `sample(n, generator=…)`"

        def made(seed: int) -> Tensor:
            with torch.no_grad():
                return model.sample(3, generator=torch.Generator().manual_seed(seed))

        first = made(0)
        assert first.shape == (3, *inputs.shape[1:]), "sample(n) gives n pictures of the shape that the model takes"
        assert 0 <= float(first.min()) and float(first.max()) <= 1, "sample gives pixels in [0, 1]"
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(123)
            assert torch.equal(first, made(0)), "all that is random in sample comes from its generator"
        assert not torch.equal(first, made(1)), "another generator gives other pictures"
        if isinstance(model, zoo.ClassSampler) and model.classes:
            labels = torch.full((3,), model.classes - 1)
            assert model.sample(3, labels).shape == first.shape, "sample takes a class for each picture"

    def test_saved_and_loaded_bit_equal(self, tmp_path: Path) -> None:
        model = self.model()
        save_weights(tmp_path / "weights", model, model_name=self.name, arguments=self.arguments())
        _assert_equal(model, zoo.load(tmp_path / "weights"), self.inputs())

    # huggingface_hub's own upload passes its HTTP library an argument that this one calls outdated
    @pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
    def test_pushed_and_pulled_bit_equal(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        model = self.model()
        save_weights(tmp_path / "weights", model, model_name=self.name, arguments=self.arguments())
        with serve_folder(tmp_path / "hub") as hub:
            monkeypatch.setenv("HF_ENDPOINT", hub.url)
            monkeypatch.setenv("HF_TOKEN", hub.token)
            push_folder(tmp_path / "weights", "tester/model", hub=hub.url, message="test")
            _assert_equal(model, zoo.load("hf://tester/model", hub=hub.url), self.inputs())

    def test_parameter_names_are_as_stored(self) -> None:
        if self.parameter_names is None:
            return
        model = build(self.offer, full_arguments(self.offer, {}), device="meta")
        names = "\n".join(model.state_dict()) + "\n"
        stored = self.parameter_names.read_text(encoding="utf-8")
        message = "published weights need the old names; a new set of names is a new architecture, with a new name"
        assert names == stored, f"{message} (or store them anew in {self.parameter_names})"


def _shapes(model: nn.Module) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in model.state_dict().items()}


def _assert_equal(model: nn.Module, loaded: nn.Module, inputs: Any) -> None:
    theirs = loaded.state_dict()
    different = [name for name, tensor in model.state_dict().items() if not torch.equal(tensor, theirs[name])]
    assert not different, f"tensors come back to the bit; these do not: {different}"
    for tensor in (*loaded.parameters(), *loaded.buffers()):
        tensor.data = tensor.data.clone()  # mapped from a file, at odd addresses, sums round otherwise
    with torch.no_grad():
        same = torch.equal(called(model.eval(), inputs), called(loaded, inputs))
    assert same, "the loaded model computes the same; is there state outside of parameters and buffers?"
