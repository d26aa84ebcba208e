"""timm: push a model and create it again from the Hub."""

from importlib.metadata import version

import timm
import torch
from timm.models import push_to_hf_hub

print(f"timm {version('timm')}, torch {torch.__version__}, huggingface_hub {version('huggingface_hub')}")
torch.manual_seed(0)
model = timm.create_model("resnet18", num_classes=7).eval()
push_to_hf_hub(model, "org/resnet18.test", model_config={"num_classes": 7, "label_names": list("abcdefg")})
print("  push_to_hf_hub")
again = timm.create_model("hf-hub:org/resnet18.test", pretrained=True).eval()
images = torch.rand(2, 3, 64, 64)
with torch.no_grad():
    assert torch.equal(model(images), again(images))
print("  create_model('hf-hub:…')")
print("all steps passed")
