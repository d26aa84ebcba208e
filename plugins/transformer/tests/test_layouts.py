"""The conversions account for every tensor, both ways; a real Llama loads and tells the story it told elsewhere."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import zoo
from zoo.registry.registry import default_registry
from zoo.specs.named import load_target
from zoo.weights.build import build, full_arguments
from zoo.weights.config import read_config
from zoo.weights.folder import save_weights
from zoo.weights.foreign.renaming import parts_of, to_ours

DATA = Path(os.environ.get("ZOO_DATA", Path(__file__).parents[4] / "shared" / "data"))
STORIES = DATA / "weights" / "stories260k"
NAMES = zoo.list_models(family="transformer")

real = pytest.mark.skipif(not STORIES.is_dir(), reason=f"no {STORIES}; $ZOO_DATA says where real weights lie")


@pytest.mark.parametrize("name", NAMES)
def test_names_go_there_and_come_back(name: str) -> None:
    offer = default_registry().model(name)
    with_head: dict[str, Any] = {"num_classes": 3, **({"pooler": True} if name in ("bert", "minilm_l6") else {})}
    state = build(offer, full_arguments(offer, with_head), device="meta").state_dict()
    layouts = [layout for layout in load_target(offer.spec.layouts) if name in layout.models]
    assert layouts, "every model has a layout"
    for layout in layouts:
        theirs = {ours: [part.name for part in parts_of(ours, layout.renames)] for ours in state}
        assert len({part for parts in theirs.values() for part in parts}) == sum(map(len, theirs.values()))
        for ours, parts in theirs.items():
            back = [to_ours(part, layout.renames) for part in parts]
            assert [item.name for item in back] == [ours] * len(parts), layout.library
            assert [item.part for item in back] == [(place, len(parts)) for place in range(len(parts))]
        assert {layout.stem, layout.classifier} <= set(state), layout.library


@pytest.fixture
def stories() -> Any:
    return zoo.load(STORIES)


@pytest.fixture
def expected() -> Any:
    return json.loads((STORIES / "expected.json").read_bytes())


@real
def test_the_real_llama_loads_by_one_call(stories: Any, expected: Any) -> None:
    block = read_config(STORIES)
    assert (block.architecture, block.task, block.preprocessing) == ("llama", "text-generation", None)
    with torch.no_grad():
        logits = stories.lm_logits(stories.forward_features(torch.tensor([expected["prompt_ids"]])))
    wanted = torch.tensor(expected["logits_first8_of_last_prompt_token"])
    assert float((logits[0, -1, :8] - wanted).abs().max()) < 1e-4


@real
def test_the_real_llama_tells_its_story(stories: Any, expected: Any) -> None:
    ids = list(expected["prompt_ids"])
    with torch.no_grad():
        while len(ids) < len(expected["greedy_ids"]):
            ids.append(int(stories.lm_logits(stories.forward_features(torch.tensor([ids]))[:, -1]).argmax()))
    assert ids == expected["greedy_ids"]


@real
def test_the_real_llama_tells_its_story_from_a_cache(stories: Any, expected: Any) -> None:
    """Two at once, one of them behind padding on the left."""
    ids = torch.tensor([[0, 0, 0, *expected["prompt_ids"]], [*expected["prompt_ids"], 432, 383, 286]])
    mask = (torch.arange(ids.shape[1]) >= torch.tensor([[3], [0]])).long()
    cache = stories.new_cache(len(expected["greedy_ids"]) + 3)
    told, new = ids, ids
    with torch.no_grad():
        while told.shape[1] < cache.capacity:
            logits = stories.lm_logits(stories.forward_features(new, mask, cache=cache)[:, -1])
            new = logits.argmax(-1, keepdim=True)
            told, mask = torch.cat([told, new], 1), torch.cat([mask, torch.ones_like(new)], 1)
    assert told[0, 3:].tolist() == expected["greedy_ids"]


@real
def test_the_real_llama_goes_there_and_comes_back(stories: Any, expected: Any, tmp_path: Path) -> None:
    out = zoo.export(STORIES, to="transformers", out=tmp_path / "theirs")
    written, stored = load_file(out / "model.safetensors"), load_file(STORIES / "model.safetensors")
    assert written.keys() == stored.keys()
    assert all(torch.equal(written[name], stored[name]) for name in stored)
    config = json.loads((out / "config.json").read_bytes())
    asked = json.loads((STORIES / "config.json").read_bytes())
    assert {name: config.get(name) for name in asked if name not in _OF_TOKENS} == {
        name: value for name, value in asked.items() if name not in _OF_TOKENS
    }


_OF_TOKENS = {"bos_token_id", "eos_token_id", "torch_dtype"}


def save(folder: Path, name: str, **arguments: Any) -> Any:
    """Save a small model with random weights; return it."""
    torch.manual_seed(0)
    model = zoo.create(name, **arguments).eval()
    save_weights(folder, model, model_name=name, arguments=arguments)
    return model


TINY = {"vocab_size": 20, "context": 16, "width": 8, "depth": 2, "num_heads": 2}
IDS = torch.tensor([[1, 5, 7], [3, 2, 9]])


def theirs(folder: Path, name: str, **arguments: Any) -> tuple[Any, Path, dict[str, torch.Tensor]]:
    """Return a small model, the folder in which transformers would have it, and the tensors there."""
    model = save(folder / "ours", name, **arguments)
    out = zoo.export(folder / "ours", to="transformers", out=folder / "theirs")
    return model, out, load_file(out / "model.safetensors")


def test_matrices_with_outputs_last_are_turned(tmp_path: Path) -> None:
    model, out, tensors = theirs(tmp_path, "gpt2", **TINY)
    assert tensors["transformer.h.0.mlp.c_fc.weight"].shape == (8, 32)
    assert torch.equal(tensors["transformer.h.0.mlp.c_fc.weight"].t(), model.h[0].mlp.c_fc.weight)
    assert torch.equal(zoo.load(out)(IDS), model(IDS))


def test_older_files_of_gpt2_hold_masks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model, out, tensors = theirs(tmp_path, "gpt2", **TINY)
    bare = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
    masks = {f"h.{layer}.attn.bias": torch.ones(1, 1, 16, 16) for layer in range(2)}
    save_file({**bare, **masks}, out / "model.safetensors")
    caplog.set_level("INFO")
    assert torch.equal(zoo.load(out)(IDS), model(IDS))
    assert "ignored 2 tensors that the model does not have (h.0.attn.bias, h.1.attn.bias)" in caplog.text


def test_older_files_of_bert_call_norms_otherwise(tmp_path: Path) -> None:
    model, out, tensors = theirs(tmp_path, "bert", **TINY)
    older = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in tensors.items()
    }
    assert len(older.keys() - tensors.keys()) == 12
    older |= {"cls.seq_relationship.weight": torch.zeros(2, 8), "bert.pooler.dense.weight": torch.zeros(8, 8)}
    older |= {"bert.pooler.dense.bias": torch.zeros(8)}
    save_file(older, out / "model.safetensors")
    assert read_config(out).task == "fill-mask"
    loaded = zoo.load(out)
    assert torch.equal(loaded.lm_logits(loaded.forward_features(IDS)), model.lm_logits(model.forward_features(IDS)))


def test_035_what_has_a_place_must_be_there(tmp_path: Path) -> None:
    _, out, tensors = theirs(tmp_path, "llama", **TINY, num_kv_heads=1, mlp_width=12)
    save_file({name: tensors[name] for name in tensors if name != "model.norm.weight"}, out / "model.safetensors")
    with pytest.raises(zoo.IntegrityError, match=r"1 missing \(norm\.weight\)"):
        zoo.load(out)
    save_file({**tensors, "model.extra.weight": torch.zeros(3)}, out / "model.safetensors")
    with pytest.raises(zoo.IntegrityError, match=r"1 unexpected \(model\.extra\.weight\)"):
        zoo.load(out)


def test_a_part_must_be_there(tmp_path: Path) -> None:
    _, out, tensors = theirs(tmp_path, "vit_tiny_patch16_224", image_size=16)
    del tensors["vit.encoder.layer.3.attention.attention.key.weight"]
    save_file(tensors, out / "model.safetensors")
    with pytest.raises(zoo.IntegrityError, match="is not in transformers's layout of 'vit_tiny_patch16_224'"):
        zoo.load(out)


def test_parts_of_unlike_shapes(tmp_path: Path) -> None:
    _, out, tensors = theirs(tmp_path, "vit_tiny_patch16_224", image_size=16)
    tensors["vit.encoder.layer.3.attention.attention.key.bias"] = torch.zeros(191)
    save_file(tensors, out / "model.safetensors")
    with pytest.raises(zoo.IntegrityError, match=r"1 wrong shape \(blocks\.3\.attn\.qkv\.bias"):
        zoo.load(out)


def test_without_a_last_layer_there_are_features(tmp_path: Path) -> None:
    arguments = {**TINY, "num_kv_heads": 2, "mlp_width": 12, "tied": False}
    model, out, tensors = theirs(tmp_path, "llama", **arguments)
    del tensors["lm_head.weight"]
    save_file({name.removeprefix("model."): tensor for name, tensor in tensors.items()}, out / "model.safetensors")
    config = json.loads((out / "config.json").read_bytes())
    (out / "config.json").write_text(json.dumps({**config, "architectures": ["LlamaModel"]}))
    assert read_config(out).task == "feature-extraction"
    loaded = zoo.load(out)
    assert torch.equal(loaded(IDS), model(IDS))
    with pytest.raises(zoo.UsageError, match="stored without its last layer"):
        loaded.lm_logits(loaded.forward_features(IDS))


def test_what_transformers_cannot_build_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "ours", "bert", **TINY, pool="avg")
    with pytest.raises(zoo.UsageError, match="bert has pool='token', these weights have 'avg'"):
        zoo.export(tmp_path / "ours", to="transformers", out=tmp_path / "theirs")
    with pytest.raises(zoo.UsageError, match="timm has no bert"):
        zoo.export(tmp_path / "ours", to="timm", out=tmp_path / "theirs")


def test_rotary_positions_of_another_kind_are_refused(tmp_path: Path) -> None:
    _, out, _ = theirs(tmp_path, "llama", **TINY, num_kv_heads=1, mlp_width=12)
    config = json.loads((out / "config.json").read_bytes())
    scaled = {"rope_type": "llama3", "factor": 8.0, "rope_theta": 10_000.0}
    (out / "config.json").write_text(json.dumps({**config, "rope_parameters": scaled}))
    with pytest.raises(zoo.NotFoundError, match="with rope_parameters.rope_type='llama3', which no plugin here reads"):
        zoo.load(out)


def config_of(folder: Path) -> Any:
    return json.loads((folder / "config.json").read_bytes())


def test_a_width_is_a_ratio_elsewhere(tmp_path: Path) -> None:
    arguments = {"width": 24, "depth": 2, "num_heads": 2, "mlp_width": 60, "image_size": 32}
    model = save(tmp_path / "ours", "vit", **arguments)
    out = zoo.export(tmp_path / "ours", to="timm", out=tmp_path / "timm")
    config = config_of(out)
    assert config["model_args"]["mlp_ratio"] == 2.5
    del config["zoo"]
    (out / "config.json").write_text(json.dumps({**config, "architecture": "vit_tiny_patch16_224"}))
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(zoo.load(out)(images), model(images))
    config["model_args"]["mlp_ratio"] = "wide"
    (out / "config.json").write_text(json.dumps({**config, "architecture": "vit_tiny_patch16_224"}))
    with pytest.raises(zoo.IntegrityError, match="mlp_ratio that is not a number"):
        zoo.load(out)


T5 = {**TINY, "decoder_depth": 2, "head_width": 4, "mlp_width": 12}
MARIAN = {**TINY, "decoder_depth": 1, "decoder_num_heads": 4, "mlp_width": 12, "decoder_mlp_width": 20}


@pytest.mark.parametrize(("name", "arguments"), [("t5", T5), ("t5", {**T5, "tied": False}), ("marian", MARIAN)])
def test_what_reads_and_writes_goes_there_and_comes_back(name: str, arguments: dict[str, Any], tmp_path: Path) -> None:
    model, out, _ = theirs(tmp_path, name, **arguments, start_token=4)
    loaded = zoo.load(out)
    assert read_config(out).task == "translation"
    assert loaded.start_token == 4
    written = [net.lm_logits(net.decode(IDS, net.forward_features(IDS))) for net in (model, loaded)]
    assert torch.equal(*written)
    assert config_of(out).get("pad_token_id") == (4 if name == "marian" else None)


def test_what_a_newer_t5_says_of_its_last_layer(tmp_path: Path) -> None:
    model, out, _ = theirs(tmp_path, "t5", **T5, tied=False)
    newer = {**config_of(out), "tie_word_embeddings": True, "scale_decoder_outputs": False}
    (out / "config.json").write_text(json.dumps(newer))
    loaded = zoo.load(out)
    written = [net.lm_logits(net.decode(IDS, net.forward_features(IDS))) for net in (model, loaded)]
    assert torch.equal(*written)


def test_tables_that_are_stored_twice(tmp_path: Path) -> None:
    model, out, tensors = theirs(tmp_path, "marian", **MARIAN)
    table = tensors["model.shared.weight"]
    twins = ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight")
    sines = {"model.encoder.embed_positions.weight": torch.zeros(16, 8)}
    save_file({**tensors, **sines, **{name: table.clone() for name in twins}}, out / "model.safetensors")
    assert torch.equal(zoo.load(out)(IDS), model(IDS))


def test_a_vit_as_a_graph_takes_any_batch(tmp_path: Path) -> None:
    arguments = {"width": 24, "depth": 2, "num_heads": 2, "mlp_width": 48, "image_size": 32, "num_classes": 3}
    torch.manual_seed(0)
    model: Any = zoo.create("vit", **arguments).eval()
    inputs = zoo.Preprocessing(image_size=(32, 48), channels=3)
    save_weights(tmp_path / "ours", model, model_name="vit", arguments=arguments, inputs=inputs)
    out = zoo.export(tmp_path / "ours", to="torch-export", out=tmp_path / "vit.pt2")
    graph = torch.export.load(out).module()
    for batch in (1, 5):
        images = torch.rand(batch, 3, 32, 48)
        with torch.no_grad():
            assert torch.allclose(graph(images), model(images), atol=1e-5)
