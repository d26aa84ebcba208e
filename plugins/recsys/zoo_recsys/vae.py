"""Mult-VAE: a variational autoencoder of histories (Liang et al., 2018)."""

from typing import Any

from torch import Tensor, nn

import zoo
from zoo_recsys.history import HistoryModule, normalized


class MultVAE(HistoryModule):
    """items → hidden → code → hidden → items; of what goes in, the share `dropout` is masked in training.

    Keeps `zoo.Autoencoder`: `embed` gives the mean of the code, `reconstruct` the probability of each item.
    """

    def __init__(
        self,
        *,
        items: int = 1000,
        hidden_size: int = 600,
        code_size: int = 200,
        dropout: float = 0.5,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        zoo.check_sizes(items=items, hidden_size=hidden_size, code_size=code_size)
        self.items, self.num_features, self.dropout = items, code_size, dropout
        self.encoder = nn.Sequential(nn.Linear(items, hidden_size), nn.Tanh(), nn.Linear(hidden_size, 2 * code_size))
        self.decoder = nn.Sequential(nn.Linear(code_size, hidden_size), nn.Tanh(), nn.Linear(hidden_size, items))
        for layer in (*self.encoder, *self.decoder):
            if isinstance(layer, nn.Linear):
                nn.init.xavier_normal_(layer.weight)
                nn.init.trunc_normal_(layer.bias, std=0.001)
        self.feature_info = self.stage("encoder")
        self.reset_classifier(num_classes)

    def encode(self, history: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of the code."""
        seen = nn.functional.dropout(normalized(history), self.dropout, self.training)
        mean, log_variance = self.run(self.encoder, seen).chunk(2, dim=1)
        return mean, log_variance

    def elbo_terms(self, history: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of all items from a code with this noise, and the divergence of each code, (batch,)."""
        mean, log_variance = self.encode(history)
        code = mean + noise * (log_variance / 2).exp()
        divergence = (mean**2 + log_variance.exp() - log_variance - 1).sum(1) / 2
        return self.run(self.decoder, code), divergence

    def forward_features(self, history: Tensor) -> Tensor:
        """Return the mean of the code."""
        return self.encode(history)[0]

    def embed(self, images: Tensor) -> Tensor:
        """Return the code (batch, code_size)."""
        return self.forward_features(images)

    def reconstruct(self, images: Tensor) -> Tensor:
        """Return the probability of each item, (batch, items)."""
        return self.item_scores(images).softmax(1)

    def item_scores(self, history: Tensor, users: Tensor | None = None) -> Tensor:
        """Return a logit for every item."""
        scores: Tensor = self.decoder(self.forward_features(history))
        return scores

    def similar(self, item: int) -> Tensor:
        """Return how near every item is to one: by the vectors that the decoder has of them."""
        vectors = nn.functional.normalize(self.get_parameter("decoder.2.weight").detach(), dim=1)
        return vectors @ vectors[item]

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Return how layers are told apart."""
        return {"stem": r"^encoder\.0", "blocks": [(r"^encoder\.(\d+)", None), (r"^decoder\.(\d+)", None)]}
