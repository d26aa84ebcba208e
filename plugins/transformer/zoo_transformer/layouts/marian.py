"""How transformers stores Marian's transformer."""

import zoo

LAYOUTS = (
    zoo.Layout(
        library="transformers",
        models={"marian": {}},
        config={
            "model_type": "marian",
            "share_encoder_decoder_embeddings": True,
            "tie_word_embeddings": True,
            "normalize_before": False,
            "normalize_embedding": False,
            "add_final_layer_norm": False,
            "static_position_embeddings": True,
        },
        defaults={
            "vocab_size": 58_101,
            "max_position_embeddings": 1024,
            "d_model": 1024,
            "encoder_layers": 12,
            "decoder_layers": 12,
            "encoder_attention_heads": 16,
            "decoder_attention_heads": 16,
            "encoder_ffn_dim": 4096,
            "decoder_ffn_dim": 4096,
            "activation_function": "gelu",
            "scale_embedding": False,
            "dropout": 0.1,
            "attention_dropout": 0.0,
            "activation_dropout": 0.0,
            "decoder_start_token_id": 58_100,
            "share_encoder_decoder_embeddings": True,
            "tie_word_embeddings": True,
        },
        aliases={
            "num_attention_heads": "encoder_attention_heads",
            "hidden_size": "d_model",
            "num_hidden_layers": "encoder_layers",
        },
        same={"attention_dropout": "dropout"},
        stem="shared.weight",
        classifier="classifier.weight",
        options={
            "vocab_size": "vocab_size",
            "context": "max_position_embeddings",
            "width": "d_model",
            "depth": "encoder_layers",
            "decoder_depth": "decoder_layers",
            "num_heads": "encoder_attention_heads",
            "decoder_num_heads": "decoder_attention_heads",
            "mlp_width": "encoder_ffn_dim",
            "decoder_mlp_width": "decoder_ffn_dim",
            "activation": "activation_function",
            "scale_embedding": "scale_embedding",
            "dropout": "dropout",
            "attention_dropout": "attention_dropout",
            "activation_dropout": "activation_dropout",
            "start_token": "decoder_start_token_id",
        },
        # what is written begins with padding
        copies={"pad_token_id": "decoder_start_token_id"},
        architectures={"translation": "MarianMTModel", "summarization": "MarianMTModel"},
        renames=(
            zoo.Rename("[model.]shared", "shared"),
            zoo.Rename("[model.]encoder.layers.{n}", "encoder.{n}"),
            zoo.Rename("[model.]decoder.layers.{n}", "decoder.{n}"),
        ),
        ignored=("[model.]encoder.embed_positions", "[model.]decoder.embed_positions"),
        twins=tuple(
            zoo.Twin(source, "shared")
            for source in ("[model.]encoder.embed_tokens", "[model.]decoder.embed_tokens", "lm_head")
        ),
    ),
)
