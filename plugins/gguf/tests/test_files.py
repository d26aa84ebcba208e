"""A file is read, written, and goes the whole way that other weights go."""

import json
import shutil
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from zoo_gguf.container import open_file
from zoo_gguf.header import KINDS

import zoo
from plugins.gguf.tests.made import TEMPLATE, TEXTS, save

IDS = torch.tensor([[5, 9, 40, 7], [3, 3, 200, 11]])


def test_what_is_written_is_read_again(weights: Path, tmp_path: Path) -> None:
    before, after = zoo.load(weights), zoo.load(zoo.export(weights, to="gguf", out=tmp_path / "a.gguf"))
    with torch.no_grad():
        assert (
            before.lm_logits(before.forward_features(IDS)) - after.lm_logits(after.forward_features(IDS))
        ).abs().max() < 0.05
    for name, tensor in after.state_dict().items():
        wanted = before.state_dict()[name]
        assert torch.equal(tensor, wanted if tensor.ndim < 2 or "wpe" in name else wanted.half().float()), name
    mine, theirs = before.generate.inputs.tokenizer, after.generate.inputs.tokenizer
    for text in (*TEXTS, " two  spaces", "ümläut 日本 \n\n\t", "<|endoftext|> 12345"):
        assert mine.encode([text])[0].ids == theirs.encode([text])[0].ids
        assert mine.decode(mine.encode([text])[0].ids) == theirs.decode(mine.encode([text])[0].ids)
    assert theirs.chat_template == mine.chat_template and dict(theirs.roles) == dict(mine.roles)
    assert zoo.describe(weights).arguments["norm_eps"] == zoo.describe(tmp_path / "a.gguf").arguments["norm_eps"]


def test_the_library_reads_the_same(weights: Path, tmp_path: Path) -> None:
    out = zoo.export(weights, to="gguf-q8_0", out=tmp_path / "a.gguf")
    theirs, ours = gguf.GGUFReader(out), open_file(out)
    assert [tensor.name for tensor in theirs.tensors] == list(ours.headers)
    heads = {"attn_q": 4, "attn_k": 2}
    for tensor in theirs.tensors:
        wanted = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        place = ours.head.tensors[tensor.name]
        assert (place.kind, place.start) == (tensor.tensor_type.name, tensor.data_offset)
        found = ours.load()[tensor.name].numpy()
        if (layer := tensor.name.split(".")[-2]) not in heads or ours.config["architecture"] == "gpt2":
            assert np.array_equal(found, wanted.reshape(found.shape)), tensor.name
        else:
            assert not np.array_equal(found, wanted) and np.array_equal(np.sort(found, 0), np.sort(wanted, 0)), layer
    assert ours.head.metadata["general.file_type"] == gguf.LlamaFileType.MOSTLY_Q8_0
    assert {place.kind for place in ours.head.tensors.values()} == {"Q8_0", "F32"}


@pytest.mark.parametrize("form", ["merges", "scores"])
def test_sentencepieces_tokenizer_is_written_and_read_again(tmp_path: Path, form: str) -> None:
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, trainers
    from zoo_gguf.tokenizer import tokenizer_files

    made = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    steps = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    made.normalizer = normalizers.Sequence(steps)
    back = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    made.decoder = decoders.Sequence(back)
    eights = [AddedToken(f"<0x{byte:02X}>", special=False) for byte in range(256)]
    first = ["<unk>", "<s>", "</s>", *(token.content for token in eights)]
    made.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=320, special_tokens=first, show_progress=False))
    said = json.loads(made.to_str())
    said["added_tokens"] = said["added_tokens"][:3]
    mine = zoo.Tokenizer(json.dumps(said), {"begin": "<s>", "end": "</s>", "unknown": "<unk>"}, None)
    out = zoo.export(save(tmp_path / "w", "llama", tokenizer=mine), to="gguf", out=tmp_path / "a.gguf")
    metadata = dict(open_file(out).head.metadata)
    assert (metadata["tokenizer.ggml.model"], metadata["tokenizer.ggml.add_space_prefix"]) == ("llama", True)
    if form == "scores":
        del metadata["tokenizer.ggml.merges"]
    theirs = zoo.Tokenizer(tokenizer_files(metadata, "a")["tokenizer.json"], {})
    for text in (*TEXTS, " two  spaces", "ümläut 日本", "a</s>b"):
        ids = mine.encode([text])[0].ids
        assert theirs.encode([text])[0].ids == ids and theirs.decode(ids) == mine.decode(ids), text


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_is_dequantized_as_the_library_does(tmp_path: Path, kind: str) -> None:
    found = KINDS[kind]
    content = np.random.default_rng(0).integers(0, 256, (6, 2 * found.size * (256 // found.block)), dtype=np.uint8)
    content[:, 1::2] &= 0x3B  # no exponents of infinity and NaN
    out = written(tmp_path / "a.gguf", {"token_embd.weight": (content, kind)})
    (loaded,) = open_file(out).load().values()
    wanted = gguf.quants.dequantize(content, gguf.GGMLQuantizationType[kind])
    assert loaded.shape == (6, 512) and np.array_equal(loaded.numpy(), wanted, equal_nan=True)


def written(out: Path, tensors: dict[str, Any], name: str = "gpt2", **said: Any) -> Path:
    """Write a file as the library does."""
    writer = gguf.GGUFWriter(out, name)
    for key in ("block_count", "context_length", "embedding_length", "feed_forward_length", "attention.head_count"):
        writer.add_uint32(f"{name}.{key}", said.pop(key, 8))
    for key in ("attention.layer_norm_epsilon", "attention.layer_norm_rms_epsilon"):
        writer.add_float32(f"{name}.{key}", 1e-5)
    for key, value in said.items():
        (writer.add_string if isinstance(value, str) else writer.add_uint32)(key.replace("__", "."), value)
    for key, (content, kind) in tensors.items():
        writer.add_tensor(key, content, raw_dtype=gguf.GGMLQuantizationType[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out


@pytest.mark.parametrize(
    ("name", "said", "message"),
    [
        ("falcon", {}, "of the architecture 'falcon'; those that are read are llama, gpt2"),
        ("llama", {"llama__rope__scaling__type": "yarn"}, "scales its positions"),
        ("llama", {"llama__expert_count": 8}, "has experts"),
        ("llama", {"llama__rope__dimension_count": 3}, "turns a part of each head alone"),
        ("llama", {"llama__attention__value_length": 3}, "values of another width"),
        ("llama", {"attention.head_count": 0}, "has 0 heads"),
    ],
)
def test_another_model_is_refused_by_name(tmp_path: Path, name: str, said: dict[str, Any], message: str) -> None:
    tensors = {"token_embd.weight": (np.zeros((4, 8), np.float32), "F32")}
    with pytest.raises(zoo.IntegrityError, match=message):
        zoo.load(written(tmp_path / "a.gguf", tensors, name, **said))


def test_a_model_that_llama_cpp_has_not_is_not_written(tmp_path: Path) -> None:
    zoo.save(zoo.create("bert", width=8, depth=1, num_heads=1, vocab_size=20), tmp_path / "bert")
    with pytest.raises(zoo.UsageError, match=r"llama.cpp has no bert for fill-mask here"):
        zoo.export(tmp_path / "bert", to="gguf", out=tmp_path / "a.gguf")


def test_a_tokenizer_that_is_not_read_leaves_the_model(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    out = zoo.export(save(tmp_path / "w", "gpt2"), to="gguf", out=tmp_path / "a.gguf")
    content = out.read_bytes()
    out.write_bytes(content.replace(b"\x05\0\0\0\0\0\0\0gpt-2", b"\x05\0\0\0\0\0\0\0klong"))
    model = zoo.load(out)
    assert "(model 'gpt2', pre 'klong') is not read; put the model's tokenizer.json beside it" in caplog.text
    with pytest.raises(zoo.NotFoundError, match="no tokenizer.json in .*a.gguf"):
        model.generate("a")
    shutil.copy(tmp_path / "w" / "tokenizer.json", tmp_path)
    assert zoo.load(out).generate("a", max_new_tokens=2) is not None


def test_it_is_described_finetuned_and_written_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from zoo.cli import main

    out = zoo.export(save(tmp_path / "w", "llama"), to="gguf", out=tmp_path / "a.gguf")
    with pytest.raises(SystemExit) as ended:
        main(["info", str(out)])
    assert not ended.value.code
    assert "weights file" in (said := capsys.readouterr().out) and "text-generation" in said
    (tmp_path / "texts.csv").write_text(
        "text,label\n" + "\n".join(f'"{text}",{place % 2}' for place, text in enumerate(TEXTS))
    )
    run = zoo.finetune(
        out, task="text-classification", data=str(tmp_path / "texts.csv"), out=tmp_path / "run", settings={"steps": 1}
    )
    assert zoo.load(run.folder).generate.inputs.tokenizer.chat_template == TEMPLATE
    with pytest.raises(zoo.UsageError, match="for text-classification"):
        zoo.export(run.folder, to="gguf", out=tmp_path / "b.gguf")


def test_it_is_pulled_from_a_hub(tmp_path: Path, served_hub: Any) -> None:
    from huggingface_hub import HfApi

    (tmp_path / "repo").mkdir()
    zoo.export(save(tmp_path / "w", "llama"), to="gguf-q8_0", out=tmp_path / "repo" / "model.Q8_0.gguf")
    api = HfApi(endpoint=served_hub.url, token=served_hub.token)
    api.create_repo("me/theirs")
    api.upload_folder(repo_id="me/theirs", folder_path=tmp_path / "repo")
    model = zoo.load("hf://me/theirs", hub=served_hub.url)
    assert isinstance(model.generate("the quick", max_new_tokens=3), str)
