"""transformers: push and load a small Llama with weights and a config; real weights where ZOO_DATA has them."""

from importlib.metadata import version
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, BertConfig, BertModel, LlamaConfig, LlamaForCausalLM

print(
    f"transformers {version('transformers')}, torch {torch.__version__}, huggingface_hub {version('huggingface_hub')}"
)
torch.manual_seed(0)
model = LlamaForCausalLM(
    LlamaConfig(hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, vocab_size=512)
).eval()
model.push_to_hub("org/llama")
print("  push_to_hub")
assert AutoConfig.from_pretrained("org/llama").hidden_size == 64
again = AutoModelForCausalLM.from_pretrained("org/llama").eval()
inputs = torch.arange(10).unsqueeze(0)
with torch.no_grad():
    assert torch.equal(model(inputs).logits, again(inputs).logits)
print("  from_pretrained")
bert = BertModel(BertConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64))
bert.push_to_hub("org/bert", private=True)
assert BertModel.from_pretrained("org/bert").config.hidden_size == 32
print("  a private one")
stories = Path("/work/shared/data/weights/stories260k")
if stories.is_dir():
    from huggingface_hub import HfApi

    HfApi().create_repo("org/stories")
    HfApi().upload_folder(repo_id="org/stories", folder_path=stories)
    real = AutoModelForCausalLM.from_pretrained("org/stories")
    assert sum(item.numel() for item in real.parameters()) > 200_000
    print("  real weights, stories260k")
print("all steps passed")
