"""How transformers stores the Audio Spectrogram Transformer, before its release 5 and since."""

import zoo

_BODY = "audio_spectrogram_transformer"
_LAYER = {
    "attention.q_proj": "attention.query",
    "attention.k_proj": "attention.key",
    "attention.v_proj": "attention.value",
    "attention.o_proj": "attention.out",
    "layernorm_before": "norm1",
    "layernorm_after": "norm2",
    "mlp.fc1": "mlp.0",
    "mlp.fc2": "mlp.2",
}
_LAYER_BEFORE = {
    "attention.attention.query": "attention.query",
    "attention.attention.key": "attention.key",
    "attention.attention.value": "attention.value",
    "attention.output.dense": "attention.out",
    "layernorm_before": "norm1",
    "layernorm_after": "norm2",
    "intermediate.dense": "mlp.0",
    "output.dense": "mlp.2",
}
LAYOUTS = (
    zoo.Layout(
        library="transformers",
        models={"ast": {}},
        config={"model_type": "audio-spectrogram-transformer", "hidden_act": "gelu", "qkv_bias": True},
        defaults={
            "hidden_act": "gelu",
            "qkv_bias": True,
            "hidden_size": 768,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "intermediate_size": 3072,
            "layer_norm_eps": 1e-12,
            "patch_size": 16,
            "frequency_stride": 10,
            "time_stride": 10,
            "max_length": 1024,
            "num_mel_bins": 128,
        },
        stem="embedding.weight",
        classifier="head.out.weight",
        options={
            "width": "hidden_size",
            "depth": "num_hidden_layers",
            "num_heads": "num_attention_heads",
            "mlp_width": "intermediate_size",
            "norm_eps": "layer_norm_eps",
            "patch": "patch_size",
            "frequency_stride": "frequency_stride",
            "time_stride": "time_stride",
            "frames": "max_length",
            "mels": "num_mel_bins",
        },
        architectures={"audio-classification": "ASTForAudioClassification"},
        renames=(
            zoo.Rename(f"{_BODY}.embeddings.cls_token", "tokens", part=(0, 2)),
            zoo.Rename(f"{_BODY}.embeddings.distillation_token", "tokens", part=(1, 2)),
            zoo.Rename(f"{_BODY}.embeddings.position_embeddings", "positions"),
            zoo.Rename(f"{_BODY}.embeddings.patch_embeddings.projection", "embedding"),
            *(zoo.Rename(f"{_BODY}.encoder.layer.{{n}}.{a}", f"layers.{{n}}.{b}") for a, b in _LAYER_BEFORE.items()),
            *(zoo.Rename(f"{_BODY}.layers.{{n}}.{a}", f"layers.{{n}}.{b}") for a, b in _LAYER.items()),
            zoo.Rename(f"{_BODY}.layernorm", "norm"),
            zoo.Rename("classifier.layernorm", "head.norm"),
            zoo.Rename("classifier.dense", "head.out"),
        ),
        inputs={
            "rate": 16_000,
            "log_mel": {
                **{"style": "kaldi", "mels": 128, "window": 400, "hop": 160, "fft": 512, "low": 20.0, "frames": 1024},
                **{"mean": -4.2677393, "std": 9.1379948},
            },
        },
    ),
)
