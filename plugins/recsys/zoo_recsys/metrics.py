"""How good rankings are: full ones over all items, of each user, in double precision."""

import torch
from torch import Tensor

METRICS = ("ndcg", "recall", "hit_rate", "mrr")


def user_metrics(hits: Tensor, relevant: Tensor) -> dict[str, Tensor]:
    """Return the figures of each user, (users,).

    `hits` (users, k) says which of the first k are relevant, `relevant` (users,) how many there are in all.
    `ndcg` has gains of 0 and 1 over the logarithm of the place, by what the best ranking of k would have; `recall` is
    the share of the relevant that is found, `mrr` one over the place of the first.
    """
    k = hits.shape[1]
    found = hits.double()
    places = torch.arange(1, k + 1, device=hits.device, dtype=torch.float64)
    discounts = (places + 1).log2().reciprocal()
    best = discounts.cumsum(0)[relevant.clamp(max=k) - 1]
    return {
        "ndcg": found @ discounts / best,
        "recall": found.sum(1) / relevant,
        "hit_rate": hits.any(1).double(),
        "mrr": (found / places).amax(1),
    }
