"""What lies beside weights of text that another library wrote."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from zoo.errors import IntegrityError
from zoo.weights.foreign.text_files import TextFiles, read_text_files

MODULES = [
    {"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]


def write(folder: Path, modules: Any = MODULES, **pooling: Any) -> None:
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 384, **pooling}))


def test_nothing_beside(tmp_path: Path) -> None:
    assert read_text_files(tmp_path) == TextFiles(None, None, None)
    assert read_text_files(tmp_path).tokenization({"context": 9}) is None


def test_the_tokenizer_and_the_bound(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes(b"{}")
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 256, "do_lower_case": false}')
    (tmp_path / "model.safetensors").touch()
    for place in (tmp_path, tmp_path / "model.safetensors"):
        found = read_text_files(place)
        assert found == TextFiles(hashlib.sha256(b"{}").hexdigest(), None, 256)
        for context, most in ((512, 256), (128, 128)):
            tokenization = found.tokenization({"context": context})
            assert tokenization is not None and tokenization.max_tokens == most


@pytest.mark.parametrize(
    ("said", "mode"),
    [
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, "mean"),
        ({"pooling_mode_cls_token": True}, "cls"),
        ({"pooling_mode_lasttoken": True}, "lasttoken"),
        ({"pooling_mode_mean_sqrt_len_tokens": True}, "mean_sqrt_len"),
        ({"pooling_mode": "mean"}, "mean"),
    ],
)
def test_the_pooling(tmp_path: Path, said: dict[str, Any], mode: str) -> None:
    write(tmp_path, **said)
    assert read_text_files(tmp_path).pooling == mode


def test_normalize_is_kept(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes(b"{}")
    for modules, normalize in ((MODULES, True), (MODULES[:2], False)):
        write(tmp_path, modules, pooling_mode="mean")
        tokenization = read_text_files(tmp_path).tokenization({})
        assert tokenization is not None and tokenization.normalize is normalize


@pytest.mark.parametrize(
    ("file", "said", "why"),
    [
        ("config_sentence_transformers.json", {"truncate_dim": 64}, "cuts vectors to 64 numbers"),
        (
            "config_sentence_transformers.json",
            {"prompts": {"query": "query: "}, "default_prompt_name": "query"},
            "puts the prompt 'query' before each text",
        ),
        ("sentence_bert_config.json", {"do_lower_case": True}, "has do_lower_case"),
    ],
)
def test_what_is_done_by_default_and_not_here_is_refused(
    tmp_path: Path, file: str, said: dict[str, Any], why: str
) -> None:
    write(tmp_path, pooling_mode="mean")
    (tmp_path / file).write_text(json.dumps(said))
    with pytest.raises(IntegrityError, match=why):
        read_text_files(tmp_path)


def test_prompts_to_choose_from_and_a_tokenizer_that_lowercases_change_nothing(tmp_path: Path) -> None:
    write(tmp_path, pooling_mode="mean")
    said = {"prompts": {"query": "query: ", "document": ""}, "default_prompt_name": None, "truncate_dim": None}
    for prompts in (said, {**said, "default_prompt_name": "document"}):
        (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(prompts))
        (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 256, "do_lower_case": true}')
        for normalizer in (
            {"type": "BertNormalizer", "lowercase": True},
            {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"}]},
        ):
            (tmp_path / "tokenizer.json").write_text(json.dumps({"normalizer": normalizer}))
            assert read_text_files(tmp_path).max_tokens == 256


@pytest.mark.parametrize(
    ("modules", "why"),
    [
        ([*MODULES, {"path": "3_Dense", "type": "sentence_transformers.models.Dense"}], "makes vectors with Dense"),
        ([{"path": "../../etc", "type": "a.Pooling"}], "which is no folder beside it"),
        ([{"path": "..", "type": "a.Pooling"}], "which is no folder beside it"),
        ([{"path": "elsewhere", "type": "a.Pooling"}], "which modules.json refers to"),
        ([{}], "a module without a type"),
        ([MODULES[0], MODULES[2], MODULES[1]], "makes vectors with Normalize"),
    ],
)
def test_modules_without_a_counterpart(tmp_path: Path, modules: Any, why: str) -> None:
    write(tmp_path, modules, pooling_mode="mean")
    with pytest.raises(IntegrityError, match=why):
        read_text_files(tmp_path)


@pytest.mark.parametrize(
    "content", ["{}", '{"max_seq_length": 0}', '{"max_seq_length": "256"}', "[", '{"a": 1, "a": 2}']
)
def test_a_broken_bound(tmp_path: Path, content: str) -> None:
    (tmp_path / "sentence_bert_config.json").write_text(content)
    if content == "{}":
        assert read_text_files(tmp_path).max_tokens is None
        return
    with pytest.raises(IntegrityError):
        read_text_files(tmp_path)
