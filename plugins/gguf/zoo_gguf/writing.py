"""Write a weights folder as a GGUF file that llama.cpp runs: Llama and GPT-2, in F16 or Q8_0."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from torch import Tensor

import zoo
from zoo_gguf.container import turned
from zoo_gguf.layouts import LAYOUTS
from zoo_gguf.vocabulary import Vocabulary, vocabulary_of

_STEMS = {"embed_tokens.weight": "llama", "wte.weight": "gpt2"}
_PLUGIN = "zoo-transformer"
_KEPT = ("position_embd.weight",)
"""Matrices that llama.cpp has in float32 in every file."""


def write_file(weights: Path, out: Path, kind: str) -> None:
    """Write a weights folder, its matrices as `kind`. Raise UsageError for a model or a tokenizer llama.cpp has not."""
    known = zoo.describe(weights)
    model = zoo.load(weights, dtype="float32")
    tensors = model.state_dict()
    name = next((name for stem, name in _STEMS.items() if stem in tensors), None)
    if known.plugin != _PLUGIN or known.head is not None or name is None or known.task != "text-generation":
        raise zoo.UsageError(
            f"llama.cpp has no {known.architecture} for {known.task} here; Llama and GPT-2 for text-generation are "
            "written; export it as a graph: --to onnx"
        )
    if name == "llama" and not known.arguments["tied"] and "lm_head.weight" not in tensors:
        raise zoo.UsageError("these weights were stored without their last layer, without which no text is written")
    layout = next(layout for layout in LAYOUTS if name in layout.models)
    words = vocabulary_of(model.generate.inputs.tokenizer, len(tensors[layout.stem]))
    writer = gguf.GGUFWriter(out, name)
    _describe(writer, name, _sizes(known.arguments, layout), known.architecture, kind)
    _add_vocabulary(writer, words)
    heads = {"attn_q": known.arguments["num_heads"], "attn_k": known.arguments.get("num_kv_heads")}
    heads["attn_k"] = heads["attn_k"] or heads["attn_q"]
    for ours, tensor in tensors.items():
        if ours == "lm_head.weight" and known.arguments.get("tied", True):
            continue
        theirs = _renamed(ours, layout)
        layer = theirs.split(".")[-2]
        rows = turned(tensor, heads[layer]) if layer in heads else tensor
        values, stored = _stored(theirs, rows, kind)
        writer.add_tensor(theirs, values, raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _sizes(arguments: Mapping[str, Any], layout: zoo.Layout) -> dict[str, Any]:
    """Return what metadata say of the model's sizes, as numbers by llama.cpp's names."""
    found = {theirs: arguments[ours] for ours, theirs in layout.options.items() if ours != "tied"}
    heads, width = arguments["num_heads"], arguments["width"]
    if found["feed_forward_length"] is None:
        found["feed_forward_length"] = 4 * width
    if "attention.key_length" in found:
        head_width = found["attention.key_length"] or width // heads
        found |= {"attention.key_length": head_width, "attention.value_length": head_width}
        found |= {"attention.head_count_kv": found["attention.head_count_kv"] or heads}
        found |= {"rope.dimension_count": head_width}
    return found


def _describe(writer: Any, name: str, sizes: Mapping[str, Any], title: str, kind: str) -> None:
    writer.add_name(title)
    writer.add_file_type(gguf.LlamaFileType[f"MOSTLY_{kind}"])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    for key, value in sizes.items():
        add = writer.add_float32 if isinstance(value, float) else writer.add_uint32
        add(f"{name}.{key}", value)


def _add_vocabulary(writer: Any, words: Vocabulary) -> None:
    writer.add_tokenizer_model(words.kind)
    writer.add_tokenizer_pre(words.cut)
    writer.add_token_list(list(words.tokens))
    writer.add_token_types(list(words.types))
    if words.kind == "llama":
        writer.add_token_scores([-float(place) for place in range(len(words.tokens))])
        writer.add_add_space_prefix(words.prefix)
    writer.add_token_merges(list(words.merges))
    for role, place in words.roles.items():
        writer.add_uint32(f"tokenizer.ggml.{role}_token_id", place)
    writer.add_add_bos_token(words.begins)
    writer.add_add_eos_token(words.ends)
    if words.chat_template is not None:
        writer.add_chat_template(words.chat_template)


def _renamed(ours: str, layout: zoo.Layout) -> str:
    for source, target, *_ in layout.renames:
        if found := re.fullmatch(re.escape(target).replace(r"\{n\}", r"(\d+)") + r"(\.\w+)", ours):
            return source.replace("{n}", found[1]) + found[found.re.groups]
    raise zoo.UsageError(f"llama.cpp has no place for {ours}; export the model as a graph: --to onnx")


def _stored(name: str, tensor: Tensor, kind: str) -> tuple[Any, gguf.GGMLQuantizationType]:
    """Return a tensor in the type that its file has it in, and that type."""
    values = tensor.detach().contiguous().numpy()
    chosen = gguf.GGMLQuantizationType[kind]
    if values.ndim < 2 or name in _KEPT:
        chosen = gguf.GGMLQuantizationType.F32
    elif values.shape[-1] % gguf.GGML_QUANT_SIZES[chosen][0]:
        chosen = gguf.GGMLQuantizationType.F16
    if chosen != gguf.GGMLQuantizationType.F32 and not np.abs(values).max() <= np.finfo(np.float16).max:
        raise zoo.UsageError(f"{name} holds numbers that 16 bits have no place for; llama.cpp runs no such file")
    return gguf.quants.quantize(values, chosen), chosen
