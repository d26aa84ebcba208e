"""How llama.cpp names the tensors and the sizes of Llama and GPT-2.

A file's container has turned Llama's queries and keys already, and says the sizes without the architecture's name.
"""

import zoo

_SIZES = {
    "context": "context_length",
    "width": "embedding_length",
    "depth": "block_count",
    "num_heads": "attention.head_count",
    "mlp_width": "feed_forward_length",
}


def _blocks(names: dict[str, str], ours: str) -> tuple[zoo.Rename, ...]:
    return tuple(zoo.Rename(f"blk.{{n}}.{theirs}", f"{ours}.{{n}}.{name}") for theirs, name in names.items())


LAYOUTS = (
    zoo.Layout(
        library="gguf",
        models={"llama": {}},
        config={"architecture": "llama"},
        stem="embed_tokens.weight",
        classifier="score.weight",
        options={
            **_SIZES,
            "num_kv_heads": "attention.head_count_kv",
            "head_width": "attention.key_length",
            "rope_theta": "rope.freq_base",
            "norm_eps": "attention.layer_norm_rms_epsilon",
            "tied": "tied",
        },
        present={"lm_head": "lm_head.weight"},
        architectures={"text-generation": "llama"},
        renames=(
            zoo.Rename("token_embd", "embed_tokens"),
            zoo.Rename("output_norm", "norm"),
            zoo.Rename("output", "lm_head"),
            *_blocks(
                {
                    "attn_norm": "input_layernorm",
                    "attn_q": "self_attn.q_proj",
                    "attn_k": "self_attn.k_proj",
                    "attn_v": "self_attn.v_proj",
                    "attn_output": "self_attn.o_proj",
                    "ffn_norm": "post_attention_layernorm",
                    "ffn_gate": "mlp.gate_proj",
                    "ffn_up": "mlp.up_proj",
                    "ffn_down": "mlp.down_proj",
                },
                "layers",
            ),
        ),
        twins=(zoo.Twin("lm_head", "embed_tokens", "tied"),),
    ),
    zoo.Layout(
        library="gguf",
        models={"gpt2": {}},
        config={"architecture": "gpt2"},
        stem="wte.weight",
        classifier="score.weight",
        options={**_SIZES, "norm_eps": "attention.layer_norm_epsilon"},
        architectures={"text-generation": "gpt2"},
        renames=(
            zoo.Rename("token_embd", "wte"),
            zoo.Rename("position_embd", "wpe"),
            zoo.Rename("output_norm", "ln_f"),
            zoo.Rename("output", "lm_head"),
            *_blocks(
                {
                    "attn_norm": "ln_1",
                    "attn_qkv": "attn.c_attn",
                    "attn_output": "attn.c_proj",
                    "ffn_norm": "ln_2",
                    "ffn_up": "mlp.c_fc",
                    "ffn_down": "mlp.c_proj",
                },
                "h",
            ),
        ),
        twins=(zoo.Twin("lm_head", "wte"),),
    ),
)
