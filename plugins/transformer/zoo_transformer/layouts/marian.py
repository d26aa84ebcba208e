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
        ignored=(
            "[model.]encoder.embed_tokens",
            "[model.]decoder.embed_tokens",
            "[model.]encoder.embed_positions",
            "[model.]decoder.embed_positions",
            "lm_head",
        ),
    ),
)
