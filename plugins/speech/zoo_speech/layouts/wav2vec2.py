"""How transformers stores wav2vec 2.0 and HuBERT: alike, behind `wav2vec2.` or `hubert.`."""

import zoo

_CONFIG = {
    "feat_extract_activation": "gelu",
    "hidden_act": "gelu",
    "conv_stride": [5, 2, 2, 2, 2, 2, 2],
    "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
}
_DEFAULTS = {
    **_CONFIG,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "layer_norm_eps": 1e-5,
    "feat_extract_norm": "group",
    "conv_bias": False,
    "num_conv_pos_embeddings": 128,
    "num_conv_pos_embedding_groups": 16,
    "do_stable_layer_norm": False,
    "vocab_size": 32,
    "pad_token_id": 0,
}
_OPTIONS = {
    "width": "hidden_size",
    "depth": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "mlp_width": "intermediate_size",
    "norm_eps": "layer_norm_eps",
    "norm": "feat_extract_norm",
    "conv_bias": "conv_bias",
    "positions_kernel": "num_conv_pos_embeddings",
    "positions_groups": "num_conv_pos_embedding_groups",
    "norm_first": "do_stable_layer_norm",
    "vocab_size": "vocab_size",
    "blank": "pad_token_id",
}
_LAYER = {
    "attention.q_proj": "query",
    "attention.k_proj": "key",
    "attention.v_proj": "value",
    "attention.out_proj": "out",
    "layer_norm": "norm1",
    "feed_forward.intermediate_dense": "mlp.0",
    "feed_forward.output_dense": "mlp.2",
    "final_layer_norm": "norm2",
}


_CLASSES = {"wav2vec2": "Wav2Vec2", "hubert": "Hubert"}


def _layout(prefix: str, own: dict[str, object]) -> zoo.Layout:
    of = f"[{prefix}.]"
    positions = f"{of}encoder.pos_conv_embed.conv"
    return zoo.Layout(
        library="transformers",
        models={{"wav2vec2": "wav2vec2_base", "hubert": "hubert_base"}[prefix]: {}},
        config={"model_type": prefix, "conv_dim": [512] * 7, **_CONFIG, **own},
        defaults={"conv_dim": [512] * 7, **_DEFAULTS, **own},
        stem="projection.weight",
        classifier="none",
        options=_OPTIONS,
        optional={"ctc": "letters.weight"},
        architectures={
            "audio-feature-extraction": f"{_CLASSES[prefix]}Model",
            "automatic-speech-recognition": f"{_CLASSES[prefix]}ForCTC",
        },
        renames=(
            zoo.Rename(f"{positions}.parametrizations.weight.original0", "positions.weight_g"),
            zoo.Rename(f"{positions}.parametrizations.weight.original1", "positions.weight_v"),
            zoo.Rename(f"{positions}.weight_g", "positions.weight_g"),
            zoo.Rename(f"{positions}.weight_v", "positions.weight_v"),
            zoo.Rename(f"{positions}.bias", "positions.bias"),
            *(zoo.Rename(f"{of}encoder.layers.{{n}}.{a}", f"layers.{{n}}.{b}") for a, b in _LAYER.items()),
            zoo.Rename(f"{of}encoder.layer_norm", "norm"),
            zoo.Rename(f"{of}feature_projection.layer_norm", "projection_norm"),
            zoo.Rename(f"{of}feature_projection.projection", "projection"),
            zoo.Rename(f"{of}feature_extractor.conv_layers.{{n}}.layer_norm", "convolutions.{n}.norm"),
            zoo.Rename(f"{of}feature_extractor.conv_layers.{{n}}.conv", "convolutions.{n}.conv"),
            zoo.Rename(f"{of}masked_spec_embed", "masked_spec_embed"),
            zoo.Rename("lm_head", "letters"),
        ),
        # what hides frames in pretraining, and its heads
        ignored=("masked_spec_embed", "quantizer", "project_hid", "project_q"),
        inputs={"rate": 16_000, "normalize": True},
    )


WAV2VEC2 = (_layout("wav2vec2", {"add_adapter": False}),)
HUBERT = (_layout("hubert", {"feat_proj_layer_norm": True, "conv_pos_batch_norm": False}),)
