"""Write zoo_transformers/table.json from the installed transformers: what each encoder is made of by default.

python plugins/transformers/tools/make_table.py
"""

import inspect
import json
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_MAPPING

OUT = Path(__file__).parents[1] / "zoo_transformers" / "table.json"
TYPES = (
    *("albert", "bert", "camembert", "data2vec-text", "deberta", "deberta-v2", "distilbert", "electra"),
    *("ernie", "mpnet", "roberta", "xlm-roberta"),
)
"""Encoders of text whose files have the names of their modules."""
COUNTED = {"camembert", "data2vec-text", "mpnet", "roberta", "xlm-roberta"}
"""Those whose positions begin behind the number of the padding token, so that two of them hold no token."""


def described(model_type: str) -> dict[str, Any]:
    config = CONFIG_MAPPING[model_type]()
    kind = MODEL_MAPPING[type(config)]
    pools = "add_pooling_layer" in inspect.signature(kind.__init__).parameters
    with torch.device("meta"):
        model = kind(config, add_pooling_layer=False) if pools else kind(config)
    tensors = model.state_dict()
    return {
        "kind": kind.__name__,
        "prefix": model.base_model_prefix,
        "children": sorted({name.partition(".")[0] for name in tensors}),
        "stem": next(name for name, tensor in tensors.items() if tensor.shape[0] == config.vocab_size),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "pools": pools,
        "positions": 0 if model_type in COUNTED else config.max_position_embeddings,
    }


def main() -> None:
    table = {"transformers": transformers.__version__, "encoders": {name: described(name) for name in TYPES}}
    OUT.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
