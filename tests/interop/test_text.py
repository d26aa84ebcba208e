"""transformers' text models are ours and ours theirs, with equal numbers and equal stories: `make test-interop`."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import zoo
from zoo.weights.config import read_config
from zoo.weights.folder import save_weights

transformers = pytest.importorskip("transformers", reason="needs transformers: make test-interop")

LABELS = {0: "sad", 1: "glad", 2: "mad"}
BERT = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 56, "vocab_size": 90}
ROBERTA = {**BERT, "type_vocab_size": 1, "max_position_embeddings": 66, "layer_norm_eps": 1e-5}
DISTILBERT = {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 56, "vocab_size": 90}
GPT2 = {"n_embd": 32, "n_layer": 3, "n_head": 4, "vocab_size": 90, "n_positions": 128, "bos_token_id": 1}
LLAMA = {**BERT, "num_key_value_heads": 2}
T5 = {"d_model": 32, "d_kv": 6, "num_layers": 3, "num_decoder_layers": 2, "num_heads": 4, "d_ff": 50, "vocab_size": 90}
MARIAN = {
    "d_model": 32,
    "encoder_layers": 3,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 50,
    "decoder_ffn_dim": 40,
    "vocab_size": 90,
    "pad_token_id": 0,
    "decoder_start_token_id": 0,
    "eos_token_id": 1,
    "forced_eos_token_id": None,
    "max_position_embeddings": 96,
    "activation_function": "swish",
}
CONFIGS = {
    "bert": lambda **changes: transformers.BertConfig(**{**BERT, **changes}),
    "roberta": lambda **changes: transformers.RobertaConfig(**{**ROBERTA, **changes}),
    "distilbert": lambda **changes: transformers.DistilBertConfig(**{**DISTILBERT, **changes}),
    "gpt2": lambda **changes: transformers.GPT2Config(**{**GPT2, "eos_token_id": 89, "pad_token_id": 0, **changes}),
    "llama": lambda **changes: transformers.LlamaConfig(**{**LLAMA, "pad_token_id": 0, **changes}),
    "t5": lambda **changes: transformers.T5Config(**{**T5, **changes}),
    "marian": lambda **changes: transformers.MarianConfig(**{**MARIAN, **changes}),
}
HEADS = {
    "bert": "BertForMaskedLM",
    "roberta": "RobertaForMaskedLM",
    "distilbert": "DistilBertForMaskedLM",
    "gpt2": "GPT2LMHeadModel",
    "llama": "LlamaForCausalLM",
    "t5": "T5ForConditionalGeneration",
    "marian": "MarianMTModel",
}
CLASSES = {
    "bert": "BertForSequenceClassification",
    "roberta": "RobertaForSequenceClassification",
    "distilbert": "DistilBertForSequenceClassification",
    "gpt2": "GPT2ForSequenceClassification",
    "llama": "LlamaForSequenceClassification",
}
ENCODERS = ("bert", "roberta", "distilbert")
VARIANTS = [
    *((name, {}) for name in ENCODERS),
    ("roberta", {"type_vocab_size": 2}),
    ("gpt2", {}),
    ("gpt2", {"n_inner": 50}),
    ("llama", {}),
    ("llama", {"tie_word_embeddings": True}),
    ("llama", {"num_key_value_heads": 4, "head_dim": 6}),
    ("llama", {"num_key_value_heads": 1, "rope_parameters": {"rope_type": "default", "rope_theta": 5e5}}),
]
READERS = [
    ("t5", {}),
    (
        "t5",
        {"feed_forward_proj": "gated-gelu", "relative_attention_num_buckets": 8, "relative_attention_max_distance": 9},
    ),
    ("marian", {"scale_embedding": True}),
    ("marian", {"activation_function": "gelu"}),
]


@pytest.fixture
def ids() -> Tensor:
    """Return three texts of 17 tokens, none of them padding or the end."""
    return torch.randint(2, 88, (3, 17), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def mask() -> Tensor:
    """Return which tokens are text: the second and the third text are shorter."""
    return (torch.arange(17) < torch.tensor([[17], [11], [4]])).long()


def assert_close(mine: Tensor, other: Tensor) -> None:
    error = float((mine - other).abs().max() / other.abs().max())
    assert error < 1e-4, f"they differ by {error:.1e} of the largest"


def theirs(name: str, randomised: Any, head: str | None = None, **changes: Any) -> Any:
    """Return transformers' model with random weights."""
    torch.manual_seed(0)
    return randomised(getattr(transformers, head or HEADS[name])(CONFIGS[name](**changes)))


@pytest.mark.parametrize(("name", "changes"), VARIANTS)
def test_their_repo_loads(
    name: str, changes: dict[str, Any], tmp_path: Path, ids: Tensor, mask: Tensor, randomised: Any
) -> None:
    model = theirs(name, randomised, **changes)
    model.save_pretrained(tmp_path)
    ours, block = zoo.load(tmp_path), read_config(tmp_path)
    assert (block.architecture, block.task) == (name, "fill-mask" if name in ENCODERS else "text-generation")
    with torch.no_grad():
        for inputs in ({"input_ids": ids}, {"input_ids": ids, "attention_mask": mask}):
            mine, other = ours.lm_logits(ours.forward_features(**inputs)), model(**inputs).logits
            real = inputs.get("attention_mask", torch.ones_like(ids)).bool()
            assert_close(mine[real], other[real])


@pytest.mark.parametrize(("name", "changes"), VARIANTS)
def test_their_classifier_loads_and_ours_opens(
    name: str, changes: dict[str, Any], tmp_path: Path, ids: Tensor, mask: Tensor, randomised: Any
) -> None:
    model = theirs(name, randomised, CLASSES[name], id2label=LABELS, **changes)
    model.save_pretrained(tmp_path / "theirs")
    ours, block = zoo.load(tmp_path / "theirs"), read_config(tmp_path / "theirs")
    assert (block.task, block.labels) == ("text-classification", tuple(LABELS.values()))
    padded = ids * mask  # their decoders find the last token by what is not padding
    with torch.no_grad():
        assert_close(ours(padded, mask), model(padded, attention_mask=mask).logits)
    out = zoo.export(tmp_path / "theirs", to="transformers", out=tmp_path / "back")
    back = transformers.AutoModelForSequenceClassification.from_pretrained(out)
    assert type(back).__name__ == CLASSES[name]
    assert back.config.id2label == LABELS
    back.config.pad_token_id = 0
    with torch.no_grad():
        assert_close(back(padded, attention_mask=mask).logits, ours(padded, mask))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("bert", {"num_heads": 4, "mlp_width": 24}),
        ("minilm_l6", {"width": 384, "depth": 6}),
        ("roberta", {"num_heads": 4, "mlp_width": 24}),
        ("distilbert", {"num_heads": 4, "mlp_width": 24}),
        ("gpt2", {"num_heads": 4}),
        ("distilgpt2", {"num_heads": 4}),
        ("llama", {"num_heads": 4, "num_kv_heads": 2, "mlp_width": 40}),
        ("llama", {"num_heads": 4, "num_kv_heads": 2, "mlp_width": 40, "tied": False, "rope_theta": 2e4}),
    ],
)
def test_ours_exported_opens(
    name: str, arguments: dict[str, Any], tmp_path: Path, ids: Tensor, randomised: Any
) -> None:
    arguments = {"vocab_size": 90, "context": 64, "width": 32, "depth": 3, **arguments}
    model: Any = randomised(zoo.create(name, **arguments))
    save_weights(tmp_path / "ours", model, model_name=name, arguments=arguments)
    out = zoo.export(tmp_path / "ours", to="transformers", out=tmp_path / "theirs")
    kind = transformers.AutoModelForMaskedLM if "fill-mask" in read_config(out).task else None
    opened, info = (kind or transformers.AutoModelForCausalLM).from_pretrained(out, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    with torch.no_grad():
        mine = model.lm_logits(model.forward_features(ids))
        assert_close(mine, opened(ids).logits)
        loaded = zoo.load(out)
        assert torch.equal(mine, loaded.lm_logits(loaded.forward_features(ids)))


def test_a_pair_of_texts(tmp_path: Path, ids: Tensor, mask: Tensor, randomised: Any) -> None:
    model = theirs("bert", randomised, "BertModel")
    model.save_pretrained(tmp_path)
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": (torch.arange(17) > 3).long().expand(3, -1)}
    ours = zoo.load(tmp_path)
    assert read_config(tmp_path).task == "feature-extraction"
    with torch.no_grad():
        assert_close(ours.forward_features(**inputs)[mask.bool()], model(**inputs).last_hidden_state[mask.bool()])


@pytest.mark.parametrize(("name", "changes"), [item for item in VARIANTS if item[0] not in ENCODERS])
@pytest.mark.parametrize("padded", [False, True])
def test_they_tell_the_same_story(
    name: str, changes: dict[str, Any], padded: bool, tmp_path: Path, ids: Tensor, randomised: Any
) -> None:
    """Greedy, over 64 tokens, from caches, with prompts of unlike lengths behind padding on the left."""
    model = theirs(name, randomised, **changes)
    model.save_pretrained(tmp_path)
    ours: Any = zoo.load(tmp_path)
    mask = (torch.arange(17) >= torch.tensor([[0], [6], [13]])).long() if padded else torch.ones_like(ids)
    told = model.generate(ids, attention_mask=mask, max_new_tokens=64, min_new_tokens=64, do_sample=False)
    ended = torch.tensor([model.generation_config.eos_token_id])
    cache, new, mine = ours.new_cache(17 + 64), ids, ids
    with torch.no_grad():
        for _ in range(64):
            logits = ours.lm_logits(ours.forward_features(new, mask, cache=cache)[:, -1])
            logits[:, ended] = -torch.inf  # as min_new_tokens does
            new = logits.argmax(-1, keepdim=True)
            mine, mask = torch.cat([mine, new], 1), torch.cat([mask, torch.ones_like(new)], 1)
    assert torch.equal(mine, told)


def test_shards_of_half_precision(tmp_path: Path, ids: Tensor, randomised: Any) -> None:
    model = theirs("llama", randomised).to(torch.bfloat16)
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    ours: Any = zoo.load(tmp_path, dtype="float32")
    with torch.no_grad():
        assert_close(ours.lm_logits(ours.forward_features(ids)), model.float()(ids).logits)


@pytest.mark.parametrize(("name", "changes"), READERS)
def test_what_reads_and_writes(
    name: str, changes: dict[str, Any], tmp_path: Path, ids: Tensor, mask: Tensor, randomised: Any
) -> None:
    model = theirs(name, randomised, **changes)
    model.save_pretrained(tmp_path / "theirs")
    ours: Any = zoo.load(tmp_path / "theirs")
    block = read_config(tmp_path / "theirs")
    assert (block.architecture, block.task) == (name, "translation")
    written = ids.flip(0, 1)[:, :11]
    wanted = model(ids, attention_mask=mask, decoder_input_ids=written)
    with torch.no_grad():
        memory = ours.forward_features(ids, mask)
        assert_close(memory[mask.bool()], wanted.encoder_last_hidden_state[mask.bool()])
        assert_close(ours.lm_logits(ours.decode(written, memory, mask)), wanted.logits)
    out = zoo.export(tmp_path / "theirs", to="transformers", out=tmp_path / "back")
    back, info = transformers.AutoModelForSeq2SeqLM.from_pretrained(out, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    with torch.no_grad():
        assert_close(back(ids, attention_mask=mask, decoder_input_ids=written).logits, wanted.logits)


@pytest.mark.parametrize(("name", "changes"), READERS)
def test_they_write_the_same(
    name: str, changes: dict[str, Any], tmp_path: Path, ids: Tensor, mask: Tensor, randomised: Any
) -> None:
    """Greedy, over 64 tokens, from caches, of three texts of unlike lengths."""
    model = theirs(name, randomised, **changes)
    model.save_pretrained(tmp_path)
    ours: Any = zoo.load(tmp_path)
    asked = {"max_new_tokens": 64, "min_new_tokens": 64, "num_beams": 1, "decoder_start_token_id": 0}
    told = model.generate(ids, attention_mask=mask, do_sample=False, bad_words_ids=None, **asked)
    cache = ours.new_cache(65)
    new = mine = torch.full((3, 1), ours.start_token)
    with torch.no_grad():
        memory = ours.forward_features(ids, mask)
        for _ in range(64):
            logits = ours.lm_logits(ours.decode(new, memory, mask, cache=cache)[:, -1])
            logits[:, 1] = -torch.inf  # the end, as min_new_tokens does
            new = logits.argmax(-1, keepdim=True)
            mine = torch.cat([mine, new], 1)
    assert torch.equal(mine, told)


def test_a_t5_with_a_last_layer_of_its_own(tmp_path: Path, ids: Tensor, randomised: Any) -> None:
    """As version 1.1 and Flan-T5 are stored: by transformers 4, which says so by tie_word_embeddings."""
    arguments = {"vocab_size": 90, "width": 32, "depth": 2, "decoder_depth": 2, "num_heads": 4, "head_width": 6}
    arguments |= {"mlp_width": 40, "feed_forward": "gated-gelu", "tied": False}
    model: Any = randomised(zoo.create("t5", **arguments))
    save_weights(tmp_path / "ours", model, model_name="t5", arguments=arguments)
    out = zoo.export(tmp_path / "ours", to="transformers", out=tmp_path / "theirs")
    opened = transformers.AutoModelForSeq2SeqLM.from_pretrained(out)
    with torch.no_grad():
        mine = model.lm_logits(model.decode(ids, model.forward_features(ids)))
        assert_close(mine, opened(ids, decoder_input_ids=ids).logits)
        loaded: Any = zoo.load(out)
        assert torch.equal(mine, loaded.lm_logits(loaded.decode(ids, loaded.forward_features(ids))))
