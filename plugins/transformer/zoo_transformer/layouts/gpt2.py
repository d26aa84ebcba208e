"""How transformers stores GPT-2: with our names, behind `transformer.`, and matrices that have the outputs last."""

import zoo

LAYOUTS = (
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
        defaults={
            "vocab_size": 50_257,
            "n_positions": 1024,
            "n_embd": 768,
            "n_layer": 12,
            "n_head": 12,
            "n_inner": None,
            "activation_function": "gelu_new",
            "layer_norm_epsilon": 1e-5,
            "resid_pdrop": 0.1,
            "embd_pdrop": 0.1,
            "attn_pdrop": 0.1,
            "scale_attn_weights": True,
            "scale_attn_by_inverse_layer_idx": False,
            "add_cross_attention": False,
            "tie_word_embeddings": True,
        },
        aliases={
            "hidden_size": "n_embd",
            "max_position_embeddings": "n_positions",
            "num_attention_heads": "n_head",
            "num_hidden_layers": "n_layer",
        },
        same={"embd_pdrop": "resid_pdrop", "attn_pdrop": "resid_pdrop"},
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
            "dropout": "resid_pdrop",
            "embedding_dropout": "embd_pdrop",
            "attention_dropout": "attn_pdrop",
        },
        pooling={"lasttoken": {}},
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
        ignored=("h.{n}.attn.bias", "h.{n}.attn.masked_bias"),
        twins=(zoo.Twin("lm_head", "wte"),),
    ),
)
