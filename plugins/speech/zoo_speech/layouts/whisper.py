"""How transformers stores Whisper: of 80 mels, and the newer large ones of 128."""

import zoo

_FIXED = {
    "model_type": "whisper",
    "activation_function": "gelu",
    "scale_embedding": False,
    "tie_word_embeddings": True,
}
_DEFAULTS = {
    "activation_function": "gelu",
    "scale_embedding": False,
    "tie_word_embeddings": True,
    "num_mel_bins": 80,
    "max_source_positions": 1500,
    "max_target_positions": 448,
    "vocab_size": 51_865,
    "d_model": 384,
    "encoder_layers": 4,
    "decoder_layers": 4,
    "encoder_attention_heads": 6,
    "decoder_attention_heads": 6,
    "encoder_ffn_dim": 1536,
    "decoder_ffn_dim": 1536,
}
_OPTIONS = {
    "mels": "num_mel_bins",
    "context": "max_source_positions",
    "text_context": "max_target_positions",
    "vocab_size": "vocab_size",
    "width": "d_model",
    "depth": "encoder_layers",
    "decoder_depth": "decoder_layers",
    "num_heads": "encoder_attention_heads",
    "decoder_num_heads": "decoder_attention_heads",
    "mlp_width": "encoder_ffn_dim",
    "decoder_mlp_width": "decoder_ffn_dim",
}


def _layout(mels: int) -> zoo.Layout:
    return zoo.Layout(
        library="transformers",
        models={"whisper_tiny": {}},
        config={**_FIXED, "num_mel_bins": mels},
        defaults=_DEFAULTS,
        stem="encoder.conv1.weight",
        classifier="none",
        options=_OPTIONS,
        optional={"writes": "decoder.embed_tokens.weight"},
        architectures={
            "audio-feature-extraction": "WhisperModel",
            "automatic-speech-recognition": "WhisperForConditionalGeneration",
        },
        renames=(zoo.Rename("[model.]encoder", "encoder"), zoo.Rename("[model.]decoder", "decoder")),
        twins=(zoo.Twin("proj_out", "decoder.embed_tokens"),),
        inputs={
            "rate": 16_000,
            "samples": 480_000,
            "log_mel": {"style": "whisper", "mels": mels, "window": 400, "hop": 160, "fft": 400, "frames": 3000},
        },
    )


LAYOUTS = (_layout(80), _layout(128))
