"""What a config.json leaves out is as the library has it, and nothing in a file is dropped without a word."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import zoo
from zoo.cli import run
from zoo.inference.predict_texts import PredictText
from zoo.weights.config import read_config
from zoo.weights.folder import save_weights
from zoo.weights.tokenizer import TextInputs
from zoo.weights.tokenizer_training import make_tokenizer

TINY = {"vocab_size": 300, "context": 16, "width": 24, "depth": 2, "num_heads": 2}
LLAMA = {**TINY, "num_kv_heads": 2, "mlp_width": 12}
IDS = torch.tensor([[1, 5, 7], [3, 2, 9]])


def theirs(folder: Path, name: str, *, without: tuple[str, ...] = (), **arguments: Any) -> tuple[Any, Path]:
    """Return a small model, and the folder in which transformers would have it, but for some keys."""
    torch.manual_seed(0)
    model: Any = zoo.create(name, **arguments).eval()
    inputs = TextInputs(make_tokenizer("bytes", ()), 16)
    save_weights(folder / "ours", model, model_name=name, arguments=arguments, inputs=inputs)
    if arguments.get("num_classes"):
        config = json.loads((folder / "ours" / "config.json").read_bytes())
        config["zoo"] |= {"task": "text-classification", "labels": list("abcdef"[: arguments["num_classes"]])}
        (folder / "ours" / "config.json").write_text(json.dumps(config))
    out = zoo.export(folder / "ours", to="transformers", out=folder / "theirs")
    change(out, *without)
    return model, out


def change(folder: Path, *without: str, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_bytes())
    config = {key: value for key, value in {**config, **changes}.items() if key not in without}
    (folder / "config.json").write_text(json.dumps(config))


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model.lm_logits(model.forward_features(IDS))
    return found


def test_139_a_last_layer_of_its_own_without_a_word_of_it(tmp_path: Path) -> None:
    model, out = theirs(tmp_path, "llama", without=("tie_word_embeddings",), **LLAMA, tied=False)
    assert torch.equal(logits(zoo.load(out)), logits(model))


def test_139_an_epsilon_that_is_left_out_is_the_librarys(tmp_path: Path) -> None:
    model, out = theirs(tmp_path, "llama", without=("rms_norm_eps", "rope_theta"), **LLAMA)
    loaded: Any = zoo.load(out)
    assert (loaded.norm.eps, loaded.rope_theta, model.norm.eps) == (1e-6, 10_000.0, 1e-5)


def test_139_a_number_of_layers_is_as_another(tmp_path: Path) -> None:
    t5 = {**TINY, "decoder_depth": 2, "head_width": 4, "mlp_width": 12}
    model, out = theirs(tmp_path, "t5", without=("num_decoder_layers",), **t5)
    loaded: Any = zoo.load(out)
    with torch.no_grad():
        mine, made = (net.decode(IDS, net.forward_features(IDS)) for net in (loaded, model))
    assert torch.equal(mine, made)


def test_139_what_would_tell_a_shape_is_named(tmp_path: Path) -> None:
    _, out = theirs(tmp_path, "bert", without=("hidden_size",), **TINY, mlp_width=12)
    with pytest.raises(zoo.IntegrityError, match=r"config.json leaves out hidden_size \(768\), for which transformers"):
        zoo.load(out)


def test_139_an_older_name_of_a_kind_of_positions(tmp_path: Path) -> None:
    _, out = theirs(tmp_path, "llama", **LLAMA)
    change(out, "rope_type", "rope_theta", rope_parameters={"type": "linear", "factor": 2.0})
    with pytest.raises(zoo.NotFoundError, match=r"with rope_parameters.rope_type='linear', which no plugin here reads"):
        zoo.load(out)


def test_139_a_head_that_would_be_drawn_at_random(tmp_path: Path) -> None:
    _, out = theirs(tmp_path, "llama", without=("tie_word_embeddings",), **LLAMA, tied=True)
    with pytest.raises(zoo.IntegrityError, match=r"tie_word_embeddings=False, the default .* lack lm_head.weight"):
        zoo.load(out)


def test_139_what_two_keys_say_must_agree(tmp_path: Path) -> None:
    _, out = theirs(tmp_path, "t5", **TINY, decoder_depth=1, head_width=4, mlp_width=12)
    change(out, dense_act_fn="relu", is_gated_act=False)
    assert zoo.load(out).training is False
    change(out, dense_act_fn="gelu")
    with pytest.raises(zoo.NotFoundError, match="'t5' of transformers with dense_act_fn='gelu', which no plugin here"):
        zoo.load(out)


def test_140_a_last_layer_that_differs_from_the_table(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model, out = theirs(tmp_path, "llama", **LLAMA, tied=True)
    tensors = load_file(out / "model.safetensors")
    equal = {**tensors, "lm_head.weight": tensors["model.embed_tokens.weight"].clone()}
    save_file(equal, out / "model.safetensors")
    assert torch.equal(logits(zoo.load(out)), logits(model))
    assert not caplog.records
    other = {**tensors, "lm_head.weight": 2 * tensors["model.embed_tokens.weight"]}
    save_file(other, out / "model.safetensors")
    assert torch.allclose(logits(zoo.load(out)), 2 * logits(model))


def test_140_two_tensors_where_the_model_has_one(tmp_path: Path) -> None:
    _, out = theirs(tmp_path, "gpt2", **TINY)
    tensors = load_file(out / "model.safetensors")
    save_file({**tensors, "lm_head.weight": 2 * tensors["transformer.wte.weight"]}, out / "model.safetensors")
    with pytest.raises(zoo.IntegrityError, match="holds lm_head.weight, which differs from wte.weight"):
        zoo.load(out)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["llama", "gpt2", "bert", "roberta", "distilbert", "t5", "marian"])
def test_142_half_precision_is_kept_or_converted(name: str, dtype: torch.dtype, tmp_path: Path) -> None:
    reads = {"decoder_depth": 1, "mlp_width": 12}
    more = {"llama": {"num_kv_heads": 2, "mlp_width": 12}, "t5": {**reads, "head_width": 4}}
    marian = {**reads, "num_heads": 2, "decoder_num_heads": 2, "decoder_mlp_width": 12}
    _, out = theirs(tmp_path, name, **{**TINY, **more.get(name, marian if name == "marian" else {})})
    tensors = load_file(out / "model.safetensors")
    save_file({key: tensor.to(dtype) for key, tensor in tensors.items()}, out / "model.safetensors")
    short = str(dtype).removeprefix("torch.")
    loaded = zoo.load(out)
    assert {parameter.dtype for parameter in loaded.parameters()} == {dtype}
    assert read_config(out).dtype == short
    wide = zoo.load(out, dtype="float32")
    vectors = [model.embed(["a bear"]).float() for model in (loaded, wide)]
    assert float((vectors[0] - vectors[1]).norm() / vectors[1].norm()) < 0.1
    change(out, dtype="float32")
    assert next(zoo.load(out).parameters()).dtype == torch.float32
    change(out, "dtype", torch_dtype="torch.bfloat16")
    assert next(zoo.load(out).parameters()).dtype == torch.bfloat16
    change(out, torch_dtype="int3")
    with pytest.raises(zoo.IntegrityError, match="has dtype='int3', which is none of float32, float16"):
        zoo.load(out)
    back = zoo.export(tmp_path / "ours", to="transformers", out=tmp_path / "half", dtype=dtype)
    assert {tensor.dtype for tensor in load_file(back / "model.safetensors").values()} == {dtype}
    assert next(zoo.load(back).parameters()).dtype == dtype


def test_142_commands_convert(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs(tmp_path, "llama", **LLAMA)
    ours, half = str(tmp_path / "ours"), tmp_path / "half"
    exported = ["export", ours, "--to", "transformers", "--out", str(half), "--dtype", "bfloat16"]
    generating = ["generate", str(half), "a bear", "--max-new-tokens", "2"]
    commands = (exported, generating, [*generating, "--dtype", "float32"], ["embed", str(half), "a bear"])
    for command in commands:
        assert run([*command]) == 0, capsys.readouterr().err
    assert json.loads((half / "config.json").read_bytes())["dtype"] == "bfloat16"


def test_positions_begin_behind_that_of_padding(tmp_path: Path) -> None:
    model, out = theirs(tmp_path, "roberta", **TINY, mlp_width=12)
    assert json.loads((out / "config.json").read_bytes())["max_position_embeddings"] == 18
    block = read_config(out)
    assert (block.arguments["context"], block.arguments["position_offset"], block.tokenization.max_tokens) == (
        16,
        2,
        16,
    )
    assert model.embeddings.position_embeddings.weight.shape[0] == 18
    assert torch.equal(logits(zoo.load(out)), logits(model))
    ids = torch.full((1, 16), 5)
    with pytest.raises(zoo.UsageError, match="17 tokens are more than the context of 16"):
        model.forward_features(torch.full((1, 17), 5))
    assert model.forward_features(ids).shape == (1, 16, 24)
    change(out, pad_token_id=0)
    with pytest.raises(zoo.NotFoundError, match="'roberta' of transformers with pad_token_id=0, which no plugin here"):
        zoo.load(out)


def test_a_model_without_segments_takes_pairs(tmp_path: Path) -> None:
    segments = torch.tensor([[0, 0, 1], [0, 1, 1]])
    for name in ("roberta", "distilbert"):
        model = zoo.create(name, **TINY, mlp_width=12).eval()
        with torch.no_grad():
            assert torch.equal(model(IDS, None, segments), model(IDS))


def classifier(folder: Path, **changes: Any) -> Path:
    _, out = theirs(folder, "bert", **TINY, mlp_width=12, num_classes=3, lm_head=False)
    change(out, **changes)
    return out


def test_143_several_labels_each_by_itself(tmp_path: Path) -> None:
    out = classifier(tmp_path, problem_type="multi_label_classification")
    loaded: Any = zoo.load(out)
    predict = loaded.predict
    assert isinstance(predict, PredictText) and predict.predictor.several
    assert torch.equal(loaded(IDS), zoo.load(tmp_path / "ours")(IDS))


def test_143_a_number_is_no_class(tmp_path: Path) -> None:
    loaded: Any = zoo.load(classifier(tmp_path, problem_type="regression"))
    assert loaded(IDS).shape == (2, 3)
    with pytest.raises(zoo.UsageError, match="for text-regression makes no predictions .* gives its numbers"):
        loaded.predict(["a bear"])


def test_143_a_kind_of_problem_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(zoo.IntegrityError, match="has problem_type='guessing'; transformers knows single_label"):
        zoo.load(classifier(tmp_path, problem_type="guessing"))


@pytest.mark.parametrize("named", [True, False])
def test_143_numbered_labels_are_labels(tmp_path: Path, named: bool) -> None:
    out = classifier(tmp_path)
    labels = {str(place): f"LABEL_{place}" for place in range(3)}
    change(out, *([] if named else ["id2label", "label2id"]), **({"id2label": labels} if named else {}))
    assert read_config(out).labels == tuple(labels.values())
    found: Any = zoo.load(out).predict(["a bear"])
    assert {item["label"] for item in found[0]["predictions"]} == set(labels.values())


RATES: dict[str, tuple[dict[str, float], dict[str, float]]] = {
    "bert": (
        {"hidden_dropout_prob": 0.3, "attention_probs_dropout_prob": 0.4},
        {"dropout": 0.3, "attention_dropout": 0.4, "classifier_dropout": 0.3},
    ),
    "distilbert": (
        {"dropout": 0.3, "attention_dropout": 0.4, "seq_classif_dropout": 0.5},
        {"dropout": 0.3, "attention_dropout": 0.4, "classifier_dropout": 0.5},
    ),
    "gpt2": (
        {"resid_pdrop": 0.3, "embd_pdrop": 0.0, "attn_pdrop": 0.5},
        {"dropout": 0.3, "embedding_dropout": 0.0, "attention_dropout": 0.5},
    ),
    "llama": ({"attention_dropout": 0.3}, {"dropout": 0.0, "attention_dropout": 0.3}),
}


@pytest.mark.parametrize("name", RATES)
def test_dropout_that_a_config_asks_for_acts_in_training(name: str, tmp_path: Path) -> None:
    more = {"llama": LLAMA, "bert": {**TINY, "mlp_width": 12}, "distilbert": {**TINY, "mlp_width": 12}}
    _, out = theirs(tmp_path, name, **more.get(name, TINY))
    said, ours = RATES[name]
    change(out, "classifier_dropout", **said)
    assert {key: value for key, value in read_config(out).arguments.items() if key in ours} == ours
    model: Any = zoo.load(out)
    assert torch.equal(logits(model), logits(model))
    assert not torch.allclose(logits(model.train()), logits(model.eval()))


def test_rates_that_are_as_another_are_written_as_numbers(tmp_path: Path) -> None:
    _, out = theirs(tmp_path, "bert", **TINY, mlp_width=12, dropout=0.2)
    written = json.loads((out / "config.json").read_bytes())
    keys = ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout")
    assert [written[key] for key in keys] == [0.2] * 3


def with_pooler(folder: Path) -> tuple[Path, dict[str, torch.Tensor]]:
    """Return a BERT without classes as transformers has it, with a pooler, and what the pooler holds."""
    _, out = theirs(folder, "bert", **TINY, mlp_width=12)
    layer = {name: torch.randn(shape) for name, shape in (("weight", (24, 24)), ("bias", (24,)))}
    named = {f"bert.pooler.dense.{name}": tensor for name, tensor in layer.items()}
    save_file({**load_file(out / "model.safetensors"), **named}, out / "model.safetensors")
    return out, layer


def test_a_pretrained_pooler_tells_the_classes(tmp_path: Path) -> None:
    out, layer = with_pooler(tmp_path)
    model: Any = zoo.load(out)
    features = model.forward_features(IDS)[:, 0]
    assert torch.equal(model(IDS), features), "without classes features are the first token's, as sentences have them"
    model.reset_classifier(3)
    pooled = torch.tanh(features @ layer["weight"].t() + layer["bias"])
    assert torch.allclose(model(IDS), model.head.out(pooled), atol=1e-6)
    model.reset_classifier(5)
    assert torch.equal(model.pooler["dense"].weight, layer["weight"]), "another head leaves it as it is"


def test_a_pooler_goes_there_and_comes_back(tmp_path: Path) -> None:
    out, layer = with_pooler(tmp_path)
    back = load_file(zoo.export(out, to="transformers", out=tmp_path / "back") / "model.safetensors")
    assert torch.equal(back["bert.pooler.dense.weight"], layer["weight"])


def test_a_pooler_that_never_saw_what_sentences_are_is_left_out(tmp_path: Path) -> None:
    out, _ = with_pooler(tmp_path)
    (out / "1_Pooling").mkdir()
    kinds = ("Transformer", ""), ("Pooling", "1_Pooling")
    modules = [
        {"idx": place, "name": str(place), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for place, (kind, path) in enumerate(kinds)
    ]
    (out / "modules.json").write_text(json.dumps(modules))
    pooling = {"word_embedding_dimension": 24, "pooling_mode_mean_tokens": True}
    (out / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    assert zoo.load(out).pooler is None
