"""Weights of the tokens that are classified: by gradients over embeddings, and by attention."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

import zoo
from zoo_explain.attention import RecordedAttention, gradient_weighted, read_by, relevance
from zoo_explain.texts.explainer import Encoded, TextExplainer
from zoo_explain.texts.scored import Scored, TextSubject

STEPS = (50, 200, 800)
_MISSING = 0.05


class TokenExplainer(TextExplainer):
    """A method for what is classified. A subclass gives `weights`."""

    def __init__(self, loaded: zoo.Loaded) -> None:
        super().__init__(loaded)
        self.subject = TextSubject(loaded, self.tokenizer)

    def explained(self, items: Sequence[Any], target: str | None, batch_size: int) -> list[dict[str, Any]]:
        texts = self.encoded(items)
        chosen = self.subject.choose(texts, target)
        with torch.enable_grad():
            weights = self.weights(texts, chosen, batch_size).detach().float().cpu()
        rows = zip(chosen.names, chosen.scores, weights, strict=True)
        return [
            {"target": name, "score": score, "tokens": texts.tokens(place, row)}
            for place, (name, score, row) in enumerate(rows)
        ]

    def weights(self, texts: Encoded, chosen: Scored, batch_size: int) -> Tensor:
        """Return a weight for each token, (batch, tokens)."""
        raise NotImplementedError

    def score(self, ids: Tensor, mask: Tensor, places: Tensor, segments: Tensor | None = None) -> Tensor:
        """Return the logit of what is explained, (batch,)."""
        logits = self.subject.logits(self.subject.features(ids, mask, segments), ids, mask)
        return logits.gather(1, places[:, None])[:, 0]

    def beginning(self, texts: Encoded) -> Tensor:
        """Return the texts with nothing in place of words."""
        roles = (self.tokenizer.role(name) for name in ("mask", "pad", "unknown"))
        nothing = next((role for role in roles if role is not None), 0)
        kept = texts.special | (texts.ids == self.subject.mask) if self.subject.mask is not None else texts.special
        return torch.where(kept, texts.ids, nothing)


class TokenGradients(TokenExplainer):
    """Integrated gradients over embeddings (Sundararajan et al., 2017), by captum.

    They begin at a text of masks, or of padding; what a tokenizer adds stays.
    """

    def weights(self, texts: Encoded, chosen: Scored, batch_size: int) -> Tensor:
        return self.attributions(texts, chosen, batch_size).sum(-1)

    def attributions(self, texts: Encoded, chosen: Scored, batch_size: int) -> Tensor:
        """Return (batch, tokens, width): what each number of an embedding adds to the score.

        Where they do not add up to the score less that of the beginning, steps are made finer, up to 800: a class that
        one word decides changes all at once on the way.
        """
        from captum.attr import LayerIntegratedGradients

        method = LayerIntegratedGradients(self.score, embedding_of(self.subject.model, texts.ids[:1], texts.mask[:1]))
        begun = self.beginning(texts)
        found = torch.empty(0)
        open_rows = torch.arange(len(texts.ids), device=texts.ids.device)
        for steps in STEPS:
            segments = () if texts.segments is None else (texts.segments[open_rows],)
            some, missing = method.attribute(
                texts.ids[open_rows],
                baselines=begun[open_rows],
                additional_forward_args=(texts.mask[open_rows], chosen.places[open_rows], *segments),
                n_steps=steps,
                internal_batch_size=max(batch_size, len(open_rows)),
                return_convergence_delta=True,
            )
            found = some if steps == STEPS[0] else found.index_copy(0, open_rows, some)
            total = some.sum((1, 2)).abs()
            open_rows = open_rows[missing.abs() > _MISSING * total.clamp(min=1e-6)]
            if not len(open_rows):
                break
        return found


class TokenAttention(TokenExplainer):
    """Attention weighted by its gradients (Chefer et al., 2021): how much of each token is in those that decide."""

    def __init__(self, loaded: zoo.Loaded) -> None:
        super().__init__(loaded)
        with zoo.evaluating(self.model), RecordedAttention() as recorded:
            self.subject.model.forward_features(torch.tensor([[0, 0]], device=next(self.model.parameters()).device))
        if not recorded.weights:
            raise zoo.UsageError(f"{loaded.description.architecture!r} has no attention; choose token_gradients")

    def weights(self, texts: Encoded, chosen: Scored, batch_size: int) -> Tensor:
        embedding = embedding_of(self.subject.model, texts.ids[:1], texts.mask[:1])
        with beginning_at(embedding), RecordedAttention() as recorded:
            features = self.subject.features(texts.ids, texts.mask, texts.segments)
            logits = self.subject.logits(features, texts.ids, texts.mask)
            score = logits.gather(1, chosen.places[:, None])[:, 0]
            found = relevance(gradient_weighted(score, recorded.weights))
            deciding = read_by(score, features)
        itself = torch.eye(found.shape[1], device=found.device)
        return (deciding[:, None] @ (found - itself))[:, 0] * texts.mask


def embedding_of(model: nn.Module, ids: Tensor, mask: Tensor) -> nn.Embedding:
    """Return the table of tokens: what first takes their very numbers. Raise UsageError where nothing does."""
    found: list[nn.Embedding] = []

    def note(module: nn.Module, arguments: Any, output: Any) -> None:
        if isinstance(module, nn.Embedding) and arguments[0].shape == ids.shape and torch.equal(arguments[0], ids):
            found.append(module)

    handles = [module.register_forward_hook(note) for module in model.modules() if isinstance(module, nn.Embedding)]
    try:
        with torch.no_grad():
            model.forward_features(ids, mask)  # type: ignore[operator]
    finally:
        for handle in handles:
            handle.remove()
    if not found:
        raise zoo.UsageError("this model has no table of tokens (nn.Embedding) to begin at; choose another method")
    return found[0]


@contextmanager
def beginning_at(module: nn.Module) -> Iterator[None]:
    """Let gradients begin at what a module makes, for the length of the block."""
    handle = module.register_forward_hook(lambda module, given, output: output.detach().requires_grad_())
    try:
        yield
    finally:
        handle.remove()
