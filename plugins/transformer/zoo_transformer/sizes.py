"""The sizes of the families, as data: name, arguments that it fixes, parameters."""

from typing import Any, NamedTuple


class Size(NamedTuple):
    """What a name fixes, how many parameters come of it, and what it is."""

    arguments: dict[str, Any]
    parameters: int
    summary: str


def _vit(width: int, depth: int, num_heads: int, patch_size: int = 16) -> dict[str, Any]:
    sizes = {"width": width, "depth": depth, "num_heads": num_heads, "mlp_width": 4 * width}
    return {**sizes, "patch_size": patch_size}


VITS = {
    "vit_tiny_patch16_224": Size(_vit(192, 12, 3), 5_717_416, "with 192 channels and 12 blocks"),
    "vit_small_patch16_224": Size(_vit(384, 12, 6), 22_050_664, "with 384 channels and 12 blocks"),
    "vit_base_patch16_224": Size(_vit(768, 12, 12), 86_567_656, "with 768 channels and 12 blocks"),
    "vit_large_patch16_224": Size(_vit(1024, 24, 16), 304_326_632, "with 1,024 channels and 24 blocks"),
}

BERTS = {
    "bert": Size({}, 109_514_298, "BERT: an encoder for masked language modelling; base size, uncased by default"),
    "minilm_l6": Size(
        {"width": 384, "depth": 6, "mlp_width": 1536},
        22_744_506,
        "MiniLM with 6 layers: a small BERT for embeddings",
    ),
    "roberta": Size(
        {"vocab_size": 50_265, "num_segments": 1, "position_offset": 2, "norm_eps": 1e-5},
        124_697_433,
        "RoBERTa: BERT trained longer, without segments; base size",
    ),
    "distilbert": Size(
        {"depth": 6, "num_segments": 0, "head_activation": "relu"},
        66_985_530,
        "DistilBERT: BERT with half the blocks, distilled from it",
    ),
}

GPT2S = {
    "gpt2": Size({}, 124_439_808, "GPT-2: a decoder-only language model"),
    "distilgpt2": Size({"depth": 6}, 81_912_576, "DistilGPT-2: GPT-2 with half the blocks"),
}

LLAMAS = {
    "smollm2_135m": Size({}, 134_515_008, "Llama in the shape of SmolLM2-135M: 30 narrow blocks"),
    "tinyllama_1b": Size(
        {
            "vocab_size": 32_000,
            "width": 2048,
            "depth": 22,
            "num_heads": 32,
            "num_kv_heads": 4,
            "mlp_width": 5632,
            "tied": False,
            "rope_theta": 10_000.0,
        },
        1_100_048_384,
        "Llama in the shape of TinyLlama-1.1B",
    ),
    "llama": Size(
        {},
        134_515_008,
        "Llama: a decoder with rotary embeddings, gated MLPs and grouped-query attention; 135M by default",
    ),
}

READERS = {
    "t5": Size({}, 60_506_624, "T5: an encoder-decoder; small by default"),
    "marian": Size({}, 73_886_208, "Marian: an encoder-decoder for translation; in the shape of Opus-MT by default"),
}
