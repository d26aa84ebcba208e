"""Small models of texts whose words are numbers' names, with a tokenizer of words."""

import json
from pathlib import Path
from typing import Any

import torch

import zoo

WORDS = [f"word{number}" for number in range(40)] + ["zebra"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LABELS = ("plain", "striped")


def inputs(*, pairs: bool = True, max_tokens: int = 32) -> zoo.TextInputs:
    import tokenizers
    from tokenizers.processors import TemplateProcessing

    vocabulary = {word: place for place, word in enumerate([*SPECIAL, *WORDS])}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.decoder = tokenizers.decoders.WordPiece()
    made.add_special_tokens(SPECIAL)
    if pairs:
        made.post_processor = TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    text = json.dumps(json.loads(made.to_str()))
    return zoo.TextInputs(zoo.Tokenizer.of(text, "a test"), max_tokens)


def model_of(name: str, **arguments: Any) -> Any:
    sizes = {"vocab_size": len(SPECIAL) + len(WORDS), "context": 32, "width": 32, "depth": 2, "num_heads": 4}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return zoo.create(name, **sizes, mlp_width=64, **arguments)


def texts(count: int, *, trigger: bool, seed: int) -> list[str]:
    """Return texts of eight words, of which one may be the trigger."""
    random = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(count):
        words = [WORDS[place] for place in torch.randint(0, 40, (8,), generator=random).tolist()]
        if trigger:
            words[int(torch.randint(0, 8, (1,), generator=random))] = "zebra"
        found.append(" ".join(words))
    return found


def classifier(folder: Path, *, steps: int) -> Path:
    """Train a classifier whose classes a hidden word decides, and save it."""
    model, made = model_of("bert", num_classes=2, lm_head=False), inputs()
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    rows = [made.tokenizer.encode(texts(512, trigger=bool(label), seed=label)) for label in (0, 1)]
    ids = torch.tensor([row.ids for part in rows for row in part])
    labels = torch.arange(2).repeat_interleave(512)
    random = torch.Generator().manual_seed(2)
    model.train()
    for _ in range(steps):
        some = torch.randint(0, 1024, (64,), generator=random)
        loss = torch.nn.functional.cross_entropy(model(ids[some]), labels[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    zoo.save(model.eval(), folder, task="text-classification", labels=LABELS, inputs=made)
    return folder
