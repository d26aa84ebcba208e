"""Write a tokenizer.json as one of KerasHub's tokenizers: the other way round than `tokenizer`."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zoo
from zoo_keras.hub_models import Kind
from zoo_keras.tokenizer import ASSETS, BYTES, MERGES, PAIRS, PIECES, WORDS

_log = logging.getLogger("zoo.keras")
_NEEDED = {"Bert": ("[CLS]", "[SEP]", "[PAD]", "[MASK]"), "DistilBert": ("[CLS]", "[SEP]", "[PAD]", "[MASK]")}


def write_tokenizer(kind: Kind, weights: Path, known: Any, folder: Path) -> dict[str, Any] | None:
    """Write the tokenizer of weights into a preset; return what its preprocessor says of it.

    Where KerasHub's class has none like it, nothing is written, and a warning says so.
    """
    tokenizer = zoo.read_text_inputs(weights, known).tokenizer
    said, name = json.loads(tokenizer.json), f"{kind.name}Tokenizer"
    vocabulary = tokenizer.inner.get_vocab(with_added_tokens=True)
    found = _assets(name, said, vocabulary)
    needed = PAIRS.get(name, _NEEDED.get(kind.name, ()))
    if found is None or not all(token in vocabulary for token in needed):
        _log.warning(
            "KerasHub's %s is no tokenizer like that of %s; the preset is written without one, and takes texts as "
            "tokens",
            name,
            weights,
        )
        return None
    assets, config = found
    (folder / ASSETS).mkdir(parents=True)
    for file, text in assets.items():
        (folder / ASSETS / file).write_text(text, encoding="utf-8")
    words = kind.serialized("Tokenizer", {"config_file": "tokenizer.json", **config}, "int32")
    (folder / "tokenizer.json").write_text(json.dumps(words, indent=4) + "\n", encoding="utf-8")
    (around,) = tokenizer.encode(["a"])
    begins = name == "GPT2Tokenizer" and around.ids[0] == tokenizer.role("begin")
    return {"tokenizer": words, "begins": begins}


def preprocessor_of(kind: Kind, words: Mapping[str, Any], length: int, task: str | None) -> dict[str, Any]:
    """Return the preprocessor of a task, by which texts become tokens."""
    config = {"tokenizer": words["tokenizer"], "config_file": "preprocessor.json", "sequence_length": length}
    if kind.name == "GPT2":
        added = {"add_start_token": words["begins"], "add_end_token": words["begins"]}
        return kind.serialized("CausalLMPreprocessor", {**config, **added})
    return kind.serialized(f"{task or 'TextClassifier'}Preprocessor", {**config, "truncate": "round_robin"})


def _assets(name: str, said: Mapping[str, Any], vocabulary: Mapping[str, int]) -> Any:
    """Return the files of a vocabulary and the class's settings; None where it is of another kind."""
    model, cut, normalizer = said["model"], said.get("pre_tokenizer") or {}, said.get("normalizer") or {}
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    if name in PIECES and model.get("type") == "WordPiece":
        whole = [vocabulary[token] for token in tokens] == list(range(len(tokens)))
        if normalizer.get("type") != "BertNormalizer" or cut.get("type") != "BertPreTokenizer" or not whole:
            return None
        lower, strip = normalizer.get("lowercase") is True, normalizer.get("strip_accents")
        config = {
            **{
                "vocabulary": None,
                "lowercase": lower,
                "strip_accents": lower if strip is None else strip,
                "split": True,
            },
            **{"suffix_indicator": model["continuing_subword_prefix"], "oov_token": model["unk_token"]},
        }
        return {WORDS: "\n".join(tokens)}, config
    if name in PAIRS and model.get("type") == "BPE" and cut.get("type") == "ByteLevel" and not normalizer:
        if cut.get("use_regex", True) is not True or model.get("ignore_merges"):
            return None
        merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
        assets = {BYTES: json.dumps(vocabulary, ensure_ascii=False), MERGES: "\n".join(merges)}
        return assets, {"add_prefix_space": cut.get("add_prefix_space") is True}
    return None
