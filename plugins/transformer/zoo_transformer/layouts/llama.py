"""How transformers stores Llama: with our names, behind `model.`."""

import zoo

LAYOUTS = (
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
        pooling={"lasttoken": {}},
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
