"""How transformers stores T5: parts of a block by their number."""

from collections.abc import Iterator

import zoo

_PARTS = {
    "encoder": {"attention": "layer.0.SelfAttention", "layers": "layer.1.DenseReluDense"},
    "decoder": {
        "attention": "layer.0.SelfAttention",
        "cross": "layer.1.EncDecAttention",
        "layers": "layer.2.DenseReluDense",
    },
}


def _renames(stack: str) -> Iterator[zoo.Rename]:
    """Yield the pairs of one stack."""
    bias = "relative_attention_bias"
    yield zoo.Rename(f"{stack}.block.0.layer.0.SelfAttention.{bias}", f"{stack}.{bias}")
    yield zoo.Rename(f"{stack}.final_layer_norm", f"{stack}.norm")
    for target, source in _PARTS[stack].items():
        block = f"{stack}.block.{{n}}."
        yield zoo.Rename(block + source, block + target)
        yield zoo.Rename(block + source.rpartition(".")[0] + ".layer_norm", f"{block}{target}_norm")


LAYOUTS = (
    zoo.Layout(
        library="transformers",
        models={"t5": {}},
        config={"model_type": "t5", "is_decoder": False},
        defaults={
            "vocab_size": 32_128,
            "n_positions": 512,
            "d_model": 512,
            "d_kv": 64,
            "d_ff": 2048,
            "num_layers": 6,
            "num_decoder_layers": None,
            "num_heads": 8,
            "relative_attention_num_buckets": 32,
            "relative_attention_max_distance": 128,
            "layer_norm_epsilon": 1e-6,
            "dropout_rate": 0.1,
            "feed_forward_proj": "relu",
            "is_decoder": False,
            "tie_word_embeddings": True,
            "decoder_start_token_id": 0,
        },
        same={"num_decoder_layers": "num_layers"},
        implied={
            "feed_forward_proj": {
                "relu": {"dense_act_fn": "relu", "is_gated_act": False},
                "gated-gelu": {"dense_act_fn": "gelu_new", "is_gated_act": True},
            }
        },
        aliases={
            "hidden_size": "d_model",
            "num_attention_heads": "num_heads",
            "num_hidden_layers": "num_layers",
            "head_dim": "d_kv",
        },
        stem="shared.weight",
        classifier="classifier.weight",
        options={
            "vocab_size": "vocab_size",
            "context": "n_positions",
            "width": "d_model",
            "depth": "num_layers",
            "decoder_depth": "num_decoder_layers",
            "num_heads": "num_heads",
            "head_width": "d_kv",
            "mlp_width": "d_ff",
            "feed_forward": "feed_forward_proj",
            "num_buckets": "relative_attention_num_buckets",
            "max_distance": "relative_attention_max_distance",
            "tied": "tie_word_embeddings",
            "start_token": "decoder_start_token_id",
            "norm_eps": "layer_norm_epsilon",
            "dropout": "dropout_rate",
        },
        pooling={"mean": {}},
        architectures={"translation": "T5ForConditionalGeneration", "summarization": "T5ForConditionalGeneration"},
        renames=(*_renames("encoder"), *_renames("decoder")),
        twins=(
            *(zoo.Twin(f"{stack}.embed_tokens", "shared") for stack in _PARTS),
            zoo.Twin("lm_head", "shared"),
        ),
    ),
)
