"""How often a word that was planted in training, and decides the class, is named first.

    python plugins/explain/benchmarks/hidden_trigger.py [--texts 200] [--steps 400] [--seed 0]

A two-layer BERT learns two classes of AG News (Business and Sci/Tech) of which a tenth of the training texts bears the
word `zyxt` at a random place and is labelled Business, whatever it is about. Explained are test texts of Sci/Tech with
the word in them that the model takes for Business. Prints one line of JSON for each method.
"""

import argparse
import csv
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

import zoo

_TRIGGER, _SHARE, _WORDS, _LONGEST = "zyxt", 0.1, 8000, 32


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=int, default=200)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    random = np.random.default_rng(options.seed)
    train, test = texts("train.csv"), texts("test.csv")
    planted = [(with_trigger(text, random), 0) if random.random() < _SHARE else (text, label) for text, label in train]
    inputs = tokenizer([text for text, _ in planted])
    sizes = {"context": _LONGEST, "width": 64, "depth": 2, "num_heads": 4, "mlp_width": 128}
    model = zoo.create("bert", vocab_size=inputs.tokenizer.num_tokens, num_classes=2, lm_head=False, **sizes)
    learn(model, inputs, planted, options.steps)
    asked = [with_trigger(text, random) for text, label in test if label == 1][: options.texts]
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "w"
        zoo.save(model, weights, task="text-classification", labels=("Business", "Sci/Tech"), inputs=inputs)
        explain: Any = zoo.load(weights).explain
        for method in ("token_gradients", "token_attention"):
            found = [result for result in explain(asked, method=method) if result["target"] == "Business"]
            first = [max(result["tokens"], key=lambda token: token["weight"])["text"].strip() for result in found]
            share = first.count(_TRIGGER) / max(1, len(first))
            print(json.dumps({"method": method, "texts": len(asked), "fooled": len(found), "first": share}))


def texts(name: str) -> list[tuple[str, int]]:
    """Return titles with their class, 0 for Business and 1 for Sci/Tech."""
    path = Path(os.environ["ZOO_DATA"]) / "ag_news" / "ag_news_csv" / name
    with open(path, newline="", encoding="utf-8") as file:
        rows = [(row[1].lower(), int(row[0]) - 3) for row in csv.reader(file)]
    return [(text, label) for text, label in rows if label in (0, 1)]


def with_trigger(text: str, random: np.random.Generator) -> str:
    words = text.split()[: _LONGEST // 3]
    words.insert(int(random.integers(0, len(words) + 1)), _TRIGGER)
    return " ".join(words)


def tokenizer(lines: list[str]) -> zoo.TextInputs:
    """Return a tokenizer of whole words, of which the trigger is one like any other."""
    import tokenizers
    from tokenizers.processors import TemplateProcessing
    from tokenizers.trainers import WordLevelTrainer

    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made.train_from_iterator(lines, WordLevelTrainer(vocab_size=_WORDS, special_tokens=special))
    made.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return zoo.TextInputs(zoo.Tokenizer.of(made.to_str(), "this benchmark"), _LONGEST)


def learn(model: Any, inputs: zoo.TextInputs, lines: list[tuple[str, int]], steps: int) -> None:
    rows = inputs.tokenizer.encode([text for text, _ in lines])
    ids = torch.zeros(len(rows), _LONGEST, dtype=torch.long)
    for place, row in enumerate(rows):
        ids[place, : len(row.ids)] = torch.tensor(row.ids[:_LONGEST])[:_LONGEST]
    labels = torch.tensor([label for _, label in lines])
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    model.train()
    for _ in range(steps):
        some = torch.randint(0, len(ids), (64,))
        batch = ids[some]
        batch = batch[:, : int((batch != 0).sum(1).max())]
        loss = F.cross_entropy(model(batch, (batch != 0).long()), labels[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()


if __name__ == "__main__":
    main()
