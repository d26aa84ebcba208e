"""How timm and transformers store vision transformers. timm's names are ours, and need no pairs."""

from typing import Any

import zoo
from zoo_transformer.sizes import VITS

_TENSORS: dict[str, Any] = {
    "stem": "patch_embed.proj.weight",
    "classifier": "head.weight",
    "mean": (0.5, 0.5, 0.5),
    "std": (0.5, 0.5, 0.5),
}
_LAYER = "[vit.]encoder.layer.{n}."
_BUILT = "[vit.]layers.{n}."
_AS_TRANSFORMERS_5_BUILDS = (
    *(
        zoo.Rename(f"{_BUILT}attention.{part}_proj", "blocks.{n}.attn.qkv", part=(place, 3))
        for place, part in enumerate(("q", "k", "v"))
    ),
    zoo.Rename(_BUILT + "attention.o_proj", "blocks.{n}.attn.proj"),
    zoo.Rename(_BUILT + "mlp", "blocks.{n}.mlp"),
    zoo.Rename(_BUILT + "layernorm_before", "blocks.{n}.norm1"),
    zoo.Rename(_BUILT + "layernorm_after", "blocks.{n}.norm2"),
)
"""What its modules are called since version 5; files of weights keep the older names."""
_IN_TRANSFORMERS: dict[str, Any] = {
    **_TENSORS,
    "library": "transformers",
    "config": {"model_type": "vit", "hidden_act": "gelu"},
    "defaults": {
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "image_size": 224,
        "patch_size": 16,
        "qkv_bias": True,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    },
    "written": {"architectures": ["ViTForImageClassification"]},
    "renames": (
        zoo.Rename("[vit.]embeddings.cls_token", "cls_token"),
        zoo.Rename("[vit.]embeddings.position_embeddings", "pos_embed"),
        zoo.Rename("[vit.]embeddings.patch_embeddings.projection", "patch_embed.proj"),
        *(
            zoo.Rename(f"{_LAYER}attention.attention.{part}", "blocks.{n}.attn.qkv", part=(place, 3))
            for place, part in enumerate(("query", "key", "value"))
        ),
        zoo.Rename(_LAYER + "attention.output.dense", "blocks.{n}.attn.proj"),
        zoo.Rename(_LAYER + "intermediate.dense", "blocks.{n}.mlp.fc1"),
        zoo.Rename(_LAYER + "output.dense", "blocks.{n}.mlp.fc2"),
        zoo.Rename(_LAYER + "layernorm_before", "blocks.{n}.norm1"),
        zoo.Rename(_LAYER + "layernorm_after", "blocks.{n}.norm2"),
        zoo.Rename("[vit.]layernorm", "norm"),
        zoo.Rename("classifier", "head"),
    ),
    "built": _AS_TRANSFORMERS_5_BUILDS,
    "ignored": ("[vit.]pooler",),
    "crop": 1.0,
    "interpolation": "bilinear",
}
_OPTIONS = {"image_size": "image_size", "qkv_bias": "qkv_bias", "norm_eps": "layer_norm_eps"}
_DROPPED = {"dropout": "hidden_dropout_prob", "attention_dropout": "attention_probs_dropout_prob"}
LAYOUTS = (
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
        **_TENSORS,
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
        options={**_OPTIONS, **_DROPPED},
        **_IN_TRANSFORMERS,
    ),
    zoo.Layout(
        models={"vit": {}},
        options={
            **_OPTIONS,
            **_DROPPED,
            "width": "hidden_size",
            "mlp_width": "intermediate_size",
            "depth": "num_hidden_layers",
            "num_heads": "num_attention_heads",
            "patch_size": "patch_size",
        },
        **_IN_TRANSFORMERS,
    ),
)
