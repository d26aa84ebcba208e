"""Adapters that real peft makes give the same here, and those that Zoo writes the same there: logits within 1e-5."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from huggingface_hub import HfApi
from msgspec.structs import replace
from torch import Tensor, nn

import zoo
from zoo.weights.adapters import add_adapters, learnt_tensors, merge_adapters
from zoo.weights.description import AdapterRecord, BaseRecord
from zoo.weights.folder import write_tensors
from zoo.weights.head import replace_head
from zoo.weights.saving import remember
from zoo.weights.stored import tensors_sha256

transformers = pytest.importorskip("transformers", reason="needs transformers: make test-peft")
peft = pytest.importorskip("peft", reason="needs peft: make test-peft")
pytest.importorskip("zoo_peft", reason="needs zoo-peft: make test-peft")

BOUND = 1e-5
IDS = torch.randint(5, 90, (2, 12), generator=torch.Generator().manual_seed(0))
PICTURES = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


class Case(NamedTuple):
    """A model of transformers', small, the class that is stored, and the class that an adapter is for."""

    config: Any
    stored: str
    built: str
    task: str | None
    layers: tuple[str, ...]
    saved: tuple[str, ...]
    inputs: dict[str, Tensor]


_TEXT = {"vocab_size": 99, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
_BERT = transformers.BertConfig(
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=48,
    max_position_embeddings=32,
    **_TEXT,
)
_GPT2 = transformers.GPT2Config(n_embd=32, n_layer=2, n_head=2, n_positions=32, **_TEXT)
_LLAMA = transformers.LlamaConfig(
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    intermediate_size=48,
    max_position_embeddings=32,
    **_TEXT,
)
_VIT = transformers.ViTConfig(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48, image_size=32, patch_size=8
)
_RESNET = transformers.ResNetConfig(
    embedding_size=64, hidden_sizes=[64, 128, 256, 512], depths=[2, 2, 2, 2], layer_type="basic"
)
_IDS = {"input_ids": IDS}
_ALL_IDS = {"input_ids": IDS, "attention_mask": torch.ones_like(IDS)}
CASES = {
    "bert_classes": Case(
        _BERT,
        "BertForPreTraining",
        "BertForSequenceClassification",
        "SEQ_CLS",
        ("query", "value", "intermediate.dense"),
        ("classifier",),
        _ALL_IDS,
    ),
    "bert_words": Case(_BERT, "BertForMaskedLM", "BertForMaskedLM", None, ("key", "output.dense"), (), _ALL_IDS),
    "gpt2": Case(_GPT2, "GPT2LMHeadModel", "GPT2LMHeadModel", "CAUSAL_LM", ("c_attn", "c_proj", "c_fc"), (), _IDS),
    "gpt2_classes": Case(
        _GPT2, "GPT2LMHeadModel", "GPT2ForSequenceClassification", "SEQ_CLS", ("c_attn",), ("score",), _ALL_IDS
    ),
    "llama": Case(
        _LLAMA, "LlamaForCausalLM", "LlamaForCausalLM", "CAUSAL_LM", ("q_proj", "k_proj", "v_proj", "up_proj"), (), _IDS
    ),
    "llama_words": Case(
        _LLAMA, "LlamaForCausalLM", "LlamaForCausalLM", "CAUSAL_LM", ("v_proj",), ("embed_tokens", "lm_head"), _IDS
    ),
    "vit": Case(
        _VIT,
        "ViTForImageClassification",
        "ViTForImageClassification",
        None,
        ("q_proj", "v_proj", "fc1", "projection"),
        ("classifier",),
        {"pixel_values": PICTURES},
    ),
    "resnet": Case(
        _RESNET,
        "ResNetForImageClassification",
        "ResNetForImageClassification",
        None,
        ("convolution",),
        ("classifier",),
        {"pixel_values": PICTURES},
    ),
}
KINDS: dict[str, dict[str, Any]] = {
    "lora": {},
    "rslora": {"use_rslora": True},
    "dora": {"use_dora": True},
    "patterns": {"rank_pattern": {r"\d+.*": 2}, "alpha_pattern": {r"1\..*": 3.0}},
    "biases": {"bias": "lora_only"},
}


def randomized(model: nn.Module) -> nn.Module:
    """Give what an adapter or a head has learnt numbers that hide nothing."""
    generator = torch.Generator().manual_seed(1)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            noise = torch.randn(parameter.shape, generator=generator) * 0.05
            parameter.data = parameter.data * 1.1 + noise if "magnitude" in name else parameter.data + noise
    return model.eval()


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., tuple[Path, Any]]:
    """Return a function that makes a base and an adapter by peft; it returns the adapter's folder and the model."""

    def make(case: Case, **options: Any) -> tuple[Path, Any]:
        torch.manual_seed(0)
        case.config.num_labels = 3
        base = tmp_path / "base"
        randomly = getattr(transformers, case.stored)(case.config)
        randomly.save_pretrained(base)
        model = getattr(transformers, case.built).from_pretrained(base, num_labels=3)
        known = {"r": 4, "lora_alpha": 8, "target_modules": list(case.layers), "modules_to_save": list(case.saved)}
        config = peft.LoraConfig(task_type=case.task, **{**known, **options})
        adapted = randomized(peft.get_peft_model(model, config))
        adapted.save_pretrained(tmp_path / "adapter")
        return tmp_path / "adapter", adapted

    return make


def logits(model: Any, inputs: dict[str, Tensor]) -> Tensor:
    """Return what either library's model makes of inputs."""
    with torch.no_grad():
        if not hasattr(model, "_zoo_origin"):
            return model(**inputs).logits
        words = model._zoo_origin.block.task in ("fill-mask", "text-generation")
        return model.lm_logits(model.forward_features(*inputs.values())) if words else model(*inputs.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_an_adapter_of_peft_computes_the_same_here(
    name: str, kind: str, made: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    case = CASES[name]
    folder, theirs = made(case, **KINDS[kind])
    wanted = logits(theirs, case.inputs)
    torch.testing.assert_close(logits(zoo.load(folder), case.inputs), wanted, rtol=0, atol=BOUND)
    if case.stored == case.built:  # then the base has the head as well
        beside: Any = zoo.load(folder, adapter=None)
        beside.adapters.load(folder, name="it")
        beside.adapters.use("it")
        torch.testing.assert_close(logits(beside, case.inputs), wanted, rtol=0, atol=BOUND)


WRITTEN = {
    "bert_classes": "text-classification",
    "bert_words": "fill-mask",
    "gpt2": "text-generation",
    "gpt2_classes": "text-classification",
    "llama": "text-generation",
    "vit": "image-classification",
    "resnet": "image-classification",
}


def learnt(base: str, task: str, folder: Path, hub: str) -> nn.Module:
    """Write an adapter of Zoo's, as a run does, with numbers that hide nothing; return the model that it makes."""
    pulled = zoo.pull(base, hub=hub)
    model = zoo.load(base, hub=hub)
    block = replace(zoo.describe(base, hub=hub), task=task)
    if "classification" in task:
        replace_head(model, 3)
        block = replace(block, arguments={**block.arguments, "num_classes": 3}, labels=("a", "b", "c"))
    add_adapters(model.requires_grad_(False), rank=4, alpha=6.0)
    for parameter in model.get_classifier().parameters():
        parameter.requires_grad_(True)
    randomized(model)
    record = AdapterRecord(
        rank=4,
        alpha=6.0,
        base=BaseRecord(repo=pulled.repo, commit=pulled.commit, sha256=tensors_sha256(pulled.folder)),
    )
    folder.mkdir()
    write_tensors(folder, learnt_tensors(model), replace(block, adapter=record))
    merge_adapters(model)
    remember(model, block)
    return model.eval()


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_computes_the_same_with_peft(name: str, served_hub: Any, tmp_path: Path) -> None:
    case = CASES[name]
    torch.manual_seed(0)
    case.config.num_labels = 3
    getattr(transformers, case.stored)(case.config).save_pretrained(tmp_path / "base")
    api = HfApi(served_hub.url, token=served_hub.token)
    api.create_repo("me/base", private=False)
    api.upload_folder(repo_id="me/base", folder_path=tmp_path / "base")
    ours = learnt("hf://me/base", WRITTEN[name], tmp_path / "ours", served_hub.url)
    written = zoo.export(tmp_path / "ours", to="peft", out=tmp_path / "written")
    theirs = getattr(transformers, case.built).from_pretrained(tmp_path / "base", num_labels=3)
    adapted = peft.PeftModel.from_pretrained(theirs, written).eval()
    torch.testing.assert_close(logits(adapted, case.inputs), logits(ours, case.inputs), rtol=0, atol=BOUND)
    again = zoo.load(written, hub=served_hub.url)
    torch.testing.assert_close(logits(again, case.inputs), logits(ours, case.inputs), rtol=0, atol=BOUND)
    assert not Path("zoo.lock").exists()  # the file says itself which weights it is for
    if "classification" in WRITTEN[name]:
        assert zoo.describe(written, hub=served_hub.url).labels == ("a", "b", "c")


def test_peft_wraps_a_model_of_zoo(served_hub: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = zoo.create("vit", width=32, depth=2, num_heads=2, mlp_width=48, patch_size=8, image_size=32, num_classes=2)
    inputs = zoo.Preprocessing(image_size=(32, 32), channels=3)
    base = zoo.save(model, tmp_path / "base", labels=("a", "b"), inputs=inputs)
    zoo.push(base, "me/base", hub=served_hub.url, private=False, license="mit")
    ours = learnt("hf://me/base", "image-classification", tmp_path / "ours", served_hub.url)
    written = zoo.export(tmp_path / "ours", to="peft", out=tmp_path / "written")
    adapted = peft.PeftModel.from_pretrained(zoo.load("hf://me/base", num_classes=3), written).eval()
    again = zoo.load(written)
    with torch.no_grad():
        wanted = ours(PICTURES)
        torch.testing.assert_close(adapted(PICTURES), wanted, rtol=0, atol=BOUND)
        torch.testing.assert_close(again(PICTURES), wanted, rtol=0, atol=BOUND)
