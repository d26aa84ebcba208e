"""How near texts come to their references, by the field's own scorers."""

from collections.abc import Sequence
from typing import Any

from zoo.extras import require

_ROUGE = {"rouge1": "rouge_1", "rouge2": "rouge_2", "rougeL": "rouge_l"}


def translation_scores(generated: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Return sacreBLEU (Post, 2018) and chrF (Popović, 2015) over the corpus, from 0 to 100."""
    metrics = _metrics()
    return {
        "bleu": float(metrics.BLEU().corpus_score(list(generated), [list(references)]).score),
        "chrf": float(metrics.CHRF().corpus_score(list(generated), [list(references)]).score),
    }


def translation_signature() -> str:
    """Return sacreBLEU's signature, which says how BLEU was computed."""
    bleu = _metrics().BLEU()
    bleu.corpus_score(["a"], [["a"]])
    return str(bleu.get_signature())


def rouge_scores(generated: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Return the mean F-measures of ROUGE-1, ROUGE-2 and ROUGE-L (Lin, 2004), with Porter's stemmer, in percent."""
    require("ROUGE", "rouge_score")
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(list(_ROUGE), use_stemmer=True)
    found = [scorer.score(reference, text) for text, reference in zip(generated, references, strict=True)]
    return {target: 100 * sum(row[name].fmeasure for row in found) / len(found) for name, target in _ROUGE.items()}


def _metrics() -> Any:
    require("BLEU", "sacrebleu")
    from sacrebleu import metrics

    return metrics
