"""Whence each written token came: of translations, summaries and texts that go on."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

import zoo
from zoo_explain.attention import RecordedAttention, gradient_weighted, relevance
from zoo_explain.texts.explainer import TextExplainer
from zoo_explain.texts.methods import beginning_at, embedding_of

_TASKS = ("translation", "summarization", "text-generation")
_MOST_TOKENS = 64


class WrittenExplainer(TextExplainer):
    """A method for what is written, the likeliest token each time, at most 64. A subclass gives `through`.

    A result has `tokens` of the text that was read with the mean of their weights, and `written`: `{"text", "weights"}`
    for each token that was written, over the same tokens, the largest 1.
    """

    columns: ClassVar[tuple[str, ...]] = ("target", "score", "from")

    def __init__(self, loaded: zoo.Loaded) -> None:
        super().__init__(loaded)
        task = loaded.description.task
        model: Any = loaded.model
        if task not in _TASKS or not callable(getattr(model, "lm_logits", None)):
            raise zoo.UsageError(f"nothing is written for {task}; explained so are {', '.join(_TASKS)}")
        self.reads = isinstance(model, zoo.EncoderDecoder)
        self.end = self.tokenizer.role("end")
        self.answers = task != "text-generation"

    def explained(self, items: Sequence[Any], target: str | None, batch_size: int) -> list[dict[str, Any]]:
        if target is not None:
            raise zoo.UsageError("what is written is explained token by token; omit --target")
        return [self._one(item if isinstance(item, str) else " ".join(item)) for item in items]

    def through(self, score: Tensor, place: int, layers: "Layers") -> Tensor:
        """Return how much of each token that was read is in the token that is written at this place, (tokens,)."""
        raise NotImplementedError

    def row(self, result: Mapping[str, Any]) -> list[str]:
        pairs = []
        for token in result["written"]:
            best = max(range(len(token["weights"])), key=token["weights"].__getitem__, default=None)
            if best is not None and token["text"].strip():
                pairs.append(f"{token['text'].strip()}←{result['tokens'][best]['text'].strip()}")
        return [result["target"], f"{result['score']:.3f}", ", ".join(pairs)]

    def _one(self, text: str) -> dict[str, Any]:
        model: Any = self.model
        (encoding,) = self.tokenizer.encode([text], offsets=True)
        source = self._source(list(encoding.ids))
        device = next(model.parameters()).device
        ids = torch.tensor([source], device=device)
        written = self._write(ids)
        if not written:
            return {"target": "", "score": 0.0, "tokens": [], "written": []}
        with torch.enable_grad(), beginning_at(embedding_of(model, ids, torch.ones_like(ids))):
            layers = Layers(self, ids, written)
            rows = []
            for place, token in enumerate(written):
                rows.append(self.through(layers.logits[place, token], place, layers).detach())
        likely = layers.logits.detach().log_softmax(-1)[range(len(written)), written].mean().exp()
        kept = [n for n, (start, stop) in enumerate(encoding.offsets[: len(source)]) if stop > start]
        weights = torch.stack(rows).float().cpu()[:, kept].clamp(min=0)
        weights = weights / weights.amax(1, keepdim=True).clamp(min=1e-12)
        mean = weights.mean(0) / weights.mean(0).max().clamp(min=1e-12) if kept else weights.mean(0)
        starts = [0, *(encoding.offsets[n][1] for n in kept)]
        tokens = [
            {"text": text[before : encoding.offsets[n][1]], "weight": round(float(weight), 4)}
            for n, before, weight in zip(kept, starts, mean, strict=False)
        ]
        said = [self.tokenizer.decode(written[: n + 1]) for n in range(len(written))]
        pieces = [now[len(before) :] for before, now in zip(["", *said], said, strict=False)]
        rounded = [[round(value, 4) for value in row] for row in weights.tolist()]
        found = [{"text": piece, "weights": row} for piece, row in zip(pieces, rounded, strict=True)]
        return {"target": said[-1].strip(), "score": float(likely), "tokens": tokens, "written": found}

    def _source(self, ids: list[int]) -> list[int]:
        """Return what the model gets of a text, as `zoo generate` gives it: answered is what ends."""
        while ids and ids[-1] == self.end:
            ids.pop()
        room = min(self.inputs.max_tokens, self.model.context // (1 if self.reads else 2))
        if self.answers or self.reads:
            return [*ids[: room - 1], self.tokenizer.needed("end")]
        return ids[:room]

    def _write(self, ids: Tensor) -> list[int]:
        """Return the tokens that are written, each the likeliest one."""
        model: Any = self.model
        pad = self.tokenizer.role("pad")
        banned = [pad] if pad is not None and pad != self.end else []
        written: list[int] = []
        room = min(_MOST_TOKENS, model.context - (0 if self.reads else ids.shape[1]))
        memory = model.forward_features(ids) if self.reads else None
        for _ in range(room):
            logits = self._logits(ids, written, memory)[-1].clone()
            logits[banned] = -torch.inf
            token = int(logits.argmax())
            if token == self.end:
                break
            written.append(token)
        return written

    def _logits(self, ids: Tensor, written: Sequence[int], memory: Tensor | None) -> Tensor:
        """Return logits for what is written first, second …, and next (written + 1, tokens)."""
        model: Any = self.model
        new = torch.tensor([written], dtype=torch.long, device=ids.device)
        if memory is not None:
            start = torch.full((1, 1), model.start_token, device=ids.device)
            found: Tensor = model.lm_logits(model.decode(torch.cat([start, new], 1), memory))[0]
            return found
        features = model.forward_features(torch.cat([ids, new], 1))
        found = model.lm_logits(features[0, ids.shape[1] - 1 :])
        return found


class Layers:
    """The attention of a text that was read and of what was written of it, and the logits of each written token."""

    def __init__(self, explainer: WrittenExplainer, ids: Tensor, written: Sequence[int]) -> None:
        self.source = ids.shape[1]
        self.encoder: list[Tensor] = []
        self.itself: list[Tensor] = []
        self.across: list[Tensor] = []
        memory = None
        if explainer.reads:
            with RecordedAttention() as recorded:
                memory = explainer.model.forward_features(ids)
            self.encoder = recorded.weights
        with RecordedAttention() as recorded:
            self.logits = explainer._logits(ids, written, memory)[: len(written)].float()
        if explainer.reads:  # a block that writes looks at itself, then at what was read
            self.itself, self.across = recorded.weights[::2], recorded.weights[1::2]
        else:
            self.itself = recorded.weights


class WrittenAttention(WrittenExplainer):
    """Attention weighted by its gradients, through what was read and what was written (Chefer et al., 2021)."""

    def through(self, score: Tensor, place: int, layers: Layers) -> Tensor:
        weighted = gradient_weighted(score, [*layers.encoder, *layers.itself, *layers.across])
        reads, itself = len(layers.encoder), len(layers.itself)
        if not self.reads:
            found = relevance(weighted)[0]
            found = found - torch.eye(len(found), device=found.device)  # what a token had of itself to begin with
            return found[layers.source - 1 + place, : layers.source]
        read = relevance(weighted[:reads])[0]
        tokens = weighted[reads].shape[-1]
        own, found = torch.eye(tokens, device=read.device), torch.zeros(tokens, layers.source, device=read.device)
        for at_itself, across in zip(weighted[reads : reads + itself], weighted[reads + itself :], strict=True):
            own, found = own + at_itself[0].float() @ own, found + at_itself[0].float() @ found
            found = found + _shares(own).T @ across[0].float() @ _shares(read)
        return found[place]


class CrossAttention(WrittenExplainer):
    """Raw attention, the mean over heads and blocks: for comparison."""

    def through(self, score: Tensor, place: int, layers: Layers) -> Tensor:
        looked = layers.across or layers.itself
        row = place if self.reads else layers.source - 1 + place
        return torch.stack([one[0, :, row, : layers.source].mean(0) for one in looked]).mean(0)


def _shares(relevances: Tensor) -> Tensor:
    """Return relevances with what came from other tokens in shares of 1, beside the token itself (equations 8, 9)."""
    itself = torch.eye(len(relevances), device=relevances.device)
    others = relevances - itself
    sums = others.sum(-1, keepdim=True)
    return torch.where(sums > 0, others / sums.clamp(min=1e-12), others) + itself
