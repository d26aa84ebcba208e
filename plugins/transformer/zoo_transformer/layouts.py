"""How timm and transformers store these models. ViT has timm's names, the text models transformers'."""

from typing import Any

import zoo
from zoo_transformer.sizes import VITS

_VIT_TENSORS: dict[str, Any] = {
    "stem": "patch_embed.proj.weight",
    "classifier": "head.weight",
    "mean": (0.5, 0.5, 0.5),
    "std": (0.5, 0.5, 0.5),
}
_VIT_LAYER = "[vit.]encoder.layer.{n}."
_VIT_IN_TRANSFORMERS: dict[str, Any] = {
    **_VIT_TENSORS,
    "library": "transformers",
    "config": {"model_type": "vit", "hidden_act": "gelu"},
    "written": {"architectures": ["ViTForImageClassification"]},
    "renames": (
        zoo.Rename("[vit.]embeddings.cls_token", "cls_token"),
        zoo.Rename("[vit.]embeddings.position_embeddings", "pos_embed"),
        zoo.Rename("[vit.]embeddings.patch_embeddings.projection", "patch_embed.proj"),
        *(
            zoo.Rename(f"{_VIT_LAYER}attention.attention.{part}", "blocks.{n}.attn.qkv", part=(place, 3))
            for place, part in enumerate(("query", "key", "value"))
        ),
        zoo.Rename(_VIT_LAYER + "attention.output.dense", "blocks.{n}.attn.proj"),
        zoo.Rename(_VIT_LAYER + "intermediate.dense", "blocks.{n}.mlp.fc1"),
        zoo.Rename(_VIT_LAYER + "output.dense", "blocks.{n}.mlp.fc2"),
        zoo.Rename(_VIT_LAYER + "layernorm_before", "blocks.{n}.norm1"),
        zoo.Rename(_VIT_LAYER + "layernorm_after", "blocks.{n}.norm2"),
        zoo.Rename("[vit.]layernorm", "norm"),
        zoo.Rename("classifier", "head"),
    ),
    "ignored": ("[vit.]pooler",),
    "crop": 1.0,
    "interpolation": "bilinear",
}
_VIT_OPTIONS = {"image_size": "image_size", "qkv_bias": "qkv_bias", "norm_eps": "layer_norm_eps"}
VIT = (
    zoo.Layout(
        library="timm",
        models={name: {"architecture": name} for name in VITS} | {"vit": {"architecture": "vit_base_patch16_224"}},
        options={
            "width": "embed_dim",
            "depth": "depth",
            "num_heads": "num_heads",
            "patch_size": "patch_size",
            "image_size": "img_size",
            "pool": "global_pool",
            "class_token": "class_token",
            "qkv_bias": "qkv_bias",
        },
        ratios={"mlp_ratio": ("mlp_width", "width")},
        crop=0.9,
        **_VIT_TENSORS,
    ),
    zoo.Layout(
        models={
            name: {
                "hidden_size": size.arguments["width"],
                "intermediate_size": size.arguments["mlp_width"],
                "num_hidden_layers": size.arguments["depth"],
                "num_attention_heads": size.arguments["num_heads"],
                "patch_size": size.arguments["patch_size"],
            }
            for name, size in VITS.items()
        },
        options=_VIT_OPTIONS,
        **_VIT_IN_TRANSFORMERS,
    ),
    zoo.Layout(
        models={"vit": {}},
        options={
            **_VIT_OPTIONS,
            "width": "hidden_size",
            "mlp_width": "intermediate_size",
            "depth": "num_hidden_layers",
            "num_heads": "num_attention_heads",
            "patch_size": "patch_size",
        },
        **_VIT_IN_TRANSFORMERS,
    ),
)

_BERT_NORMS = (
    ("[bert.]", "embeddings.LayerNorm"),
    ("[bert.]", "encoder.layer.{n}.attention.output.LayerNorm"),
    ("[bert.]", "encoder.layer.{n}.output.LayerNorm"),
    ("", "cls.predictions.transform.LayerNorm"),
)
BERT = (
    zoo.Layout(
        library="transformers",
        models={
            "bert": {},
            "minilm_l6": {
                "hidden_size": 384,
                "num_hidden_layers": 6,
                "num_attention_heads": 12,
                "intermediate_size": 1536,
                "max_position_embeddings": 512,
                "type_vocab_size": 2,
            },
        },
        config={
            "model_type": "bert",
            "hidden_act": "gelu",
            "position_embedding_type": "absolute",
            "is_decoder": False,
            "add_cross_attention": False,
            "tie_word_embeddings": True,
        },
        stem="embeddings.word_embeddings.weight",
        classifier="head.out.weight",
        options={
            "vocab_size": "vocab_size",
            "context": "max_position_embeddings",
            "width": "hidden_size",
            "depth": "num_hidden_layers",
            "num_heads": "num_attention_heads",
            "mlp_width": "intermediate_size",
            "num_segments": "type_vocab_size",
            "norm_eps": "layer_norm_eps",
        },
        present={"lm_head": "cls.predictions.bias"},
        architectures={
            "fill-mask": "BertForMaskedLM",
            "text-classification": "BertForSequenceClassification",
            "feature-extraction": "BertModel",
        },
        renames=(
            *(
                zoo.Rename(f"{prefix}{norm}.{theirs}", f"{norm}.{ours}")
                for theirs, ours in (("weight", "weight"), ("bias", "bias"), ("gamma", "weight"), ("beta", "bias"))
                for prefix, norm in _BERT_NORMS
            ),
            zoo.Rename("[bert.]pooler.dense", "head.dense"),
            zoo.Rename("classifier", "head.out"),
            zoo.Rename("[bert.]embeddings", "embeddings"),
            zoo.Rename("[bert.]encoder.layer.{n}", "encoder.layer.{n}"),
        ),
        ignored=("head.dense", "cls.seq_relationship", "cls.predictions.decoder", "embeddings.position_ids"),
    ),
)

GPT2 = (
    zoo.Layout(
        library="transformers",
        models={"gpt2": {}, "distilgpt2": {"n_embd": 768, "n_layer": 6, "n_head": 12, "n_positions": 1024}},
        config={
            "model_type": "gpt2",
            "activation_function": "gelu_new",
            "scale_attn_weights": True,
            "scale_attn_by_inverse_layer_idx": False,
            "add_cross_attention": False,
            "tie_word_embeddings": True,
        },
        stem="wte.weight",
        classifier="score.weight",
        options={
            "vocab_size": "vocab_size",
            "context": "n_positions",
            "width": "n_embd",
            "depth": "n_layer",
            "num_heads": "n_head",
            "mlp_width": "n_inner",
            "norm_eps": "layer_norm_epsilon",
        },
        architectures={
            "text-generation": "GPT2LMHeadModel",
            "text-classification": "GPT2ForSequenceClassification",
        },
        renames=(
            *(
                zoo.Rename(f"[transformer.]h.{{n}}.{layer}", f"h.{{n}}.{layer}", transposed=True)
                for layer in ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
            ),
            zoo.Rename("[transformer.]h.{n}", "h.{n}"),
            zoo.Rename("[transformer.]wte", "wte"),
            zoo.Rename("[transformer.]wpe", "wpe"),
            zoo.Rename("[transformer.]ln_f", "ln_f"),
        ),
        ignored=("h.{n}.attn.bias", "h.{n}.attn.masked_bias", "lm_head"),
    ),
)

LLAMA = (
    zoo.Layout(
        library="transformers",
        models={
            "llama": {},
            "smollm2_135m": {
                "hidden_size": 576,
                "num_hidden_layers": 30,
                "num_attention_heads": 9,
                "num_key_value_heads": 3,
                "intermediate_size": 1536,
            },
            "tinyllama_1b": {
                "hidden_size": 2048,
                "num_hidden_layers": 22,
                "num_attention_heads": 32,
                "num_key_value_heads": 4,
                "intermediate_size": 5632,
            },
        },
        config={
            "model_type": "llama",
            "hidden_act": "silu",
            "attention_bias": False,
            "mlp_bias": False,
            "rope_type": "default",
            "rope_scaling": None,
        },
        stem="embed_tokens.weight",
        classifier="score.weight",
        options={
            "vocab_size": "vocab_size",
            "context": "max_position_embeddings",
            "width": "hidden_size",
            "depth": "num_hidden_layers",
            "num_heads": "num_attention_heads",
            "num_kv_heads": "num_key_value_heads",
            "head_width": "head_dim",
            "mlp_width": "intermediate_size",
            "tied": "tie_word_embeddings",
            "rope_theta": "rope_theta",
            "norm_eps": "rms_norm_eps",
        },
        present={"lm_head": "lm_head.weight"},
        architectures={
            "text-generation": "LlamaForCausalLM",
            "text-classification": "LlamaForSequenceClassification",
            "feature-extraction": "LlamaModel",
        },
        renames=(
            zoo.Rename("[model.]embed_tokens", "embed_tokens"),
            zoo.Rename("[model.]layers.{n}", "layers.{n}"),
            zoo.Rename("[model.]norm", "norm"),
        ),
        ignored=("lm_head", "layers.{n}.self_attn.rotary_emb"),
    ),
)
