"""Say when a network learns its samples by heart: its loss on them and that on others part."""

import logging

_APART, _FAR_APART, _RISEN = 2.0, 20.0, 1.1
_log = logging.getLogger("zoo")


class Parting:
    """Looks at both losses after each round, and warns once: where one is a multiple of the other and rises again.

    Where it is many times the other, whether it rises or not. Losses that training makes larger than they are in
    evaluation, by smoothed labels or by dropout, part later.
    """

    def __init__(self) -> None:
        self._lowest: float | None = None
        self._said = False

    def look(self, training: float, scores: dict[str, float], split: str) -> None:
        """Compare the training loss of a round with the scores on a split; those without a loss say nothing."""
        held_out = scores.get("loss")
        if held_out is None or self._said or not training > 0:
            return
        self._lowest = held_out if self._lowest is None else min(self._lowest, held_out)
        rises = held_out > _RISEN * self._lowest
        if held_out > (_APART if rises else _FAR_APART) * training:
            self._said = True
            risen = f", up from {self._lowest:.3g}" if rises else ""
            _log.warning(
                "the loss is %.3g on what is learnt from and %.3g on the %s split%s: the model learns its samples by "
                "heart; give more data, or fewer steps, or dropout, or keep the best weights: --set validation=0.1",
                training,
                held_out,
                split,
                risen,
            )
