"""How KerasHub's presets store our models: by paths of classes, heads apart in every attention."""

from collections.abc import Iterable
from typing import Any

import zoo
from zoo_keras.graph import KERNEL, MATRIX, Axes

_TO_HEADS: Axes = ((1, 2), 0)
_FROM_HEADS: Axes = (2, (0, 1))
_OF_HEADS: Axes = ((0, 1),)


def _layer(theirs: str, ours: str, axes: Axes = None, *, bias: bool = True) -> Iterable[zoo.Rename]:
    """Yield the pairs of a layer of a kernel and a bias, or of a norm."""
    yield zoo.Rename(f"{theirs}.vars.0", f"{ours}.weight", axes=axes)
    if bias:
        yield zoo.Rename(f"{theirs}.vars.1", f"{ours}.bias")


def _attention(
    theirs: str, ours: tuple[str, ...], *, joined: bool, bias: bool = True, mark: str = ""
) -> Iterable[zoo.Rename]:
    """Yield the pairs of queries, keys, values and what mixes the heads; of ours the first three may be one."""
    for place, (name, target) in enumerate(zip(("query", "key", "value"), ours, strict=False)):
        part = (place, 3) if joined else None
        yield zoo.Rename(f"{theirs}.{mark}{name}_dense.vars.0", f"{target}.weight", part=part, axes=_TO_HEADS)
        if bias:
            yield zoo.Rename(f"{theirs}.{mark}{name}_dense.vars.1", f"{target}.bias", part=part, axes=_OF_HEADS)
    yield from _layer(f"{theirs}.{mark}output_dense", ours[3], _FROM_HEADS, bias=bias)


def _blocks(theirs: str, ours: str, make: Any) -> Iterable[zoo.Rename]:
    """Yield the pairs of every block: the first has no number."""
    yield from make(theirs, ours.format("0"))
    yield from make(theirs + "_{n}", ours.format("{n}"))


def _vit_block(theirs: str, ours: str) -> Iterable[zoo.Rename]:
    yield from _layer(f"{theirs}.layer_norm_1", f"{ours}.norm1")
    yield from _layer(f"{theirs}.layer_norm_2", f"{ours}.norm2")
    yield from _layer(f"{theirs}.mlp.dense_1", f"{ours}.mlp.fc1", MATRIX)
    yield from _layer(f"{theirs}.mlp.dense_2", f"{ours}.mlp.fc2", MATRIX)
    yield from _attention(f"{theirs}.mha", (*[f"{ours}.attn.qkv"] * 3, f"{ours}.attn.proj"), joined=True)


def _bert_block(theirs: str, ours: str) -> Iterable[zoo.Rename]:
    attention = f"{ours}.attention"
    yield from _layer(f"{theirs}._feedforward_intermediate_dense", f"{ours}.intermediate.dense", MATRIX)
    yield from _layer(f"{theirs}._feedforward_output_dense", f"{ours}.output.dense", MATRIX)
    yield from _layer(f"{theirs}._feedforward_layer_norm", f"{ours}.output.LayerNorm")
    yield from _layer(f"{theirs}._self_attention_layer_norm", f"{attention}.output.LayerNorm")
    heads = (*(f"{attention}.self.{name}" for name in ("query", "key", "value")), f"{attention}.output.dense")
    yield from _attention(f"{theirs}._self_attention_layer", heads, joined=False)


def _gpt2_block(theirs: str, ours: str) -> Iterable[zoo.Rename]:
    yield from _layer(f"{theirs}._feedforward_intermediate_dense", f"{ours}.mlp.c_fc", MATRIX)
    yield from _layer(f"{theirs}._feedforward_output_dense", f"{ours}.mlp.c_proj", MATRIX)
    yield from _layer(f"{theirs}._feedforward_layer_norm", f"{ours}.ln_2")
    yield from _layer(f"{theirs}._self_attention_layer_norm", f"{ours}.ln_1")
    heads = (*[f"{ours}.attn.c_attn"] * 3, f"{ours}.attn.c_proj")
    yield from _attention(f"{theirs}._self_attention_layer", heads, joined=True)


def _llama_block(theirs: str, ours: str) -> Iterable[zoo.Rename]:
    for name, target in (("gate", "gate_proj"), ("intermediate", "up_proj"), ("output", "down_proj")):
        yield from _layer(f"{theirs}._feedforward_{name}_dense", f"{ours}.mlp.{target}", MATRIX, bias=False)
    yield from _layer(f"{theirs}._feedforward_layernorm", f"{ours}.post_attention_layernorm", bias=False)
    yield from _layer(f"{theirs}._self_attention_layernorm", f"{ours}.input_layernorm", bias=False)
    heads = tuple(f"{ours}.self_attn.{name}_proj" for name in ("q", "k", "v", "o"))
    yield from _attention(f"{theirs}._self_attention_layer", heads, joined=False, bias=False, mark="_")


def _words(ours: str) -> Iterable[zoo.Rename]:
    """Yield the pairs of the head that guesses masked words."""
    head = "task.layers.masked_lm_head"
    yield from _layer(f"{head}._intermediate_dense", f"{ours}.transform.dense", MATRIX)
    yield from _layer(f"{head}._intermediate_layer_norm", f"{ours}.transform.LayerNorm")
    yield zoo.Rename(f"{head}.vars.0", f"{ours}.bias")


_TEXT = {
    "vocab_size": "vocabulary_size",
    "width": "hidden_dim",
    "depth": "num_layers",
    "mlp_width": "intermediate_dim",
}
_POSITIONS = {**_TEXT, "context": "max_sequence_length", "num_heads": "num_heads"}


def _encoder(model: str, name: str, norm_eps: float) -> zoo.Layout:
    """Return the layout of RoBERTa or of DistilBERT: no segments, positions from the start, two layers in the head."""
    table = "layers.token_and_position_embedding"
    return zoo.Layout(
        library="keras_hub",
        models={model: {"architecture": name}},
        stem="embeddings.word_embeddings.weight",
        classifier="head.out.weight",
        options=_POSITIONS,
        arguments={"norm_eps": norm_eps, "num_segments": 0, "position_offset": 0},
        present={"lm_head": "cls.predictions.bias"},
        renames=(
            *_layer(f"{table}.token_embedding", "embeddings.word_embeddings", bias=False),
            *_layer(f"{table}.position_embedding", "embeddings.position_embeddings", bias=False),
            *_layer("layers.layer_normalization", "embeddings.LayerNorm"),
            *_blocks("layers.transformer_encoder", "encoder.layer.{}", _bert_block),
            *_layer("task.layers.dense", "head.dense", MATRIX),
            *_layer("task.layers.dense_1", "head.out", MATRIX),
            *_words("cls.predictions"),
        ),
    )


def _llama(name: str) -> zoo.Layout:
    return zoo.Layout(
        library="keras_hub",
        models={"llama": {"architecture": name}},
        config={"rope_position_scaling_factor": 1.0, "rope_frequency_adjustment_factor": None},
        stem="embed_tokens.weight",
        classifier="score.weight",
        options={
            **_TEXT,
            "num_heads": "num_query_heads",
            "num_kv_heads": "num_key_value_heads",
            "rope_theta": "rope_max_wavelength",
            "norm_eps": "layer_norm_epsilon",
        },
        present={"lm_head": "lm_head.weight"},
        renames=(
            zoo.Rename("layers.reversible_embedding.vars.0", "embed_tokens.weight"),
            zoo.Rename("layers.reversible_embedding.vars.1", "lm_head.weight", axes=MATRIX),
            *_layer("layers.llama_layer_norm", "norm", bias=False),
            *_blocks("layers.llama_transformer_decoder", "layers.{}", _llama_block),
        ),
        twins=(zoo.Twin("lm_head", "embed_tokens", "tied"),),
    )


LAYOUTS = (
    zoo.Layout(
        library="keras_hub",
        models={"vit": {"architecture": "ViTBackbone"}},
        config={
            "use_class_token": True,
            "use_mha_bias": True,
            "use_mlp_bias": True,
            "use_patch_bias": True,
            "pooling": "token",
        },
        defaults={"use_class_token": True, "use_mha_bias": True, "use_mlp_bias": True, "use_patch_bias": True},
        stem="patch_embed.proj.weight",
        classifier="head.weight",
        options={
            "width": "hidden_dim",
            "depth": "num_layers",
            "num_heads": "num_heads",
            "mlp_width": "mlp_dim",
            "image_size": "image_size",
            "patch_size": "patch_size",
            "norm_eps": "layer_norm_epsilon",
        },
        renames=(
            zoo.Rename("layers.vi_t_patching_and_embedding.vars.0", "cls_token"),
            *_layer("layers.vi_t_patching_and_embedding.patch_embedding", "patch_embed.proj", KERNEL),
            zoo.Rename("layers.vi_t_patching_and_embedding.position_embedding.vars.0", "pos_embed", axes=((), 0, 1)),
            *_blocks("layers.vi_t_encoder.encoder_layers.vi_t_encoder_block", "blocks.{}", _vit_block),
            *_layer("layers.vi_t_encoder.layer_norm", "norm"),
            *_layer("task.layers.dense", "head", MATRIX),
        ),
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        crop=1.0,
        interpolation="bilinear",
    ),
    zoo.Layout(
        library="keras_hub",
        models={"bert": {"architecture": "BertBackbone"}},
        stem="embeddings.word_embeddings.weight",
        classifier="head.out.weight",
        options={**_POSITIONS, "num_segments": "num_segments"},
        arguments={"norm_eps": 1e-12, "approximate_gelu": True},
        present={"lm_head": "cls.predictions.bias"},
        renames=(
            *_layer("layers.reversible_embedding", "embeddings.word_embeddings", bias=False),
            *_layer("layers.position_embedding", "embeddings.position_embeddings", bias=False),
            *_layer("layers.embedding", "embeddings.token_type_embeddings", bias=False),
            *_layer("layers.layer_normalization", "embeddings.LayerNorm"),
            *_blocks("layers.transformer_encoder", "encoder.layer.{}", _bert_block),
            *_layer("layers.dense", "head.dense", MATRIX),
            *_layer("task.layers.dense", "head.out", MATRIX),
            *_words("cls.predictions"),
        ),
        ignored=("head.dense",),
    ),
    _encoder("roberta", "RobertaBackbone", 1e-5),
    _encoder("distilbert", "DistilBertBackbone", 1e-12),
    zoo.Layout(
        library="keras_hub",
        models={"gpt2": {"architecture": "GPT2Backbone"}},
        stem="wte.weight",
        classifier="score.weight",
        options=_POSITIONS,
        arguments={"norm_eps": 1e-5},
        renames=(
            *_layer("layers.reversible_embedding", "wte", bias=False),
            *_layer("layers.position_embedding", "wpe", bias=False),
            *_layer("layers.layer_normalization", "ln_f"),
            *_blocks("layers.transformer_decoder", "h.{}", _gpt2_block),
        ),
    ),
    *map(_llama, ("LlamaBackbone", "Llama3Backbone")),
)
