"""How well features separate labels, without training a network: H-score, LogME, N-LEEP. More is better."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]

_ROUNDS = 11
_SETTLED = 1e-3
_TINY = 1e-5


def h_score(features: NDArray[Any], labels: Labels) -> float:
    """Return the shrunken H-score (Ibrahim et al., 2021, equation 5): tr(cov_α(f)⁻¹ (1 − α) cov(E[f | y])).

    α is Ledoit's and Wolf's. Between 0 and the number of classes less 1.
    """
    from sklearn.covariance import ledoit_wolf

    centred = np.asarray(features, "f8")
    centred = centred - centred.mean(0)
    covariance, shrinkage = ledoit_wolf(centred)
    means = np.zeros_like(centred)
    for label in np.unique(labels):
        means[labels == label] = centred[labels == label].mean(0)
    between = np.cov(means, rowvar=False).reshape(covariance.shape)
    return float(np.trace(np.linalg.pinv(covariance, rcond=1e-15) @ between) * (1 - shrinkage))


def log_me(features: NDArray[Any], labels: Labels) -> float:
    """Return the mean logarithm of maximum evidence (You et al., 2021), by the fixed point of their second paper.

    `labels` are classes (samples,), each against the others, or numbers (samples, targets) to be regressed.
    """
    left, singular, _ = np.linalg.svd(np.asarray(features, "f8"), full_matrices=False)
    kept = singular > 1e-10 * max(singular[0], 1e-300)
    left, squared = left[:, kept], singular[kept] ** 2
    known = np.unique(labels)
    targets = (labels[:, None] == known).astype("f8") if labels.ndim == 1 else np.asarray(labels, "f8")
    return float(np.mean([_evidence(left, squared, target, features.shape[1]) for target in targets.T]))


def _evidence(left: Matrix, squared: Matrix, target: Matrix, width: int) -> float:
    count = len(target)
    along = (left.T @ target) ** 2
    outside = float((target**2).sum() - along.sum())
    alpha = beta = 1.0
    for _ in range(_ROUNDS):
        ratio = alpha / beta
        used = float((squared / (squared + ratio)).sum())
        weights = float((squared * along / (ratio + squared) ** 2).sum())
        residue = float((along / (1 + squared / ratio) ** 2).sum()) + outside
        alpha, beta = used / (weights + _TINY), (count - used) / (residue + _TINY)
        if abs(alpha / beta - ratio) / ratio <= _SETTLED:
            break
    evidence = (
        width / 2 * np.log(alpha)
        + count / 2 * np.log(beta)
        - 0.5 * np.log(alpha + beta * squared).sum()
        - beta / 2 * residue
        - alpha / 2 * weights
        - count / 2 * np.log(2 * np.pi)
    )
    return float(evidence / count)


def n_leep(features: NDArray[Any], labels: Labels, *, seed: int = 0, clusters_a_class: int = 5) -> float:
    """Return N-LEEP (Li et al., 2021): the mean log-likelihood of labels from a Gaussian mixture over the features.

    Features are reduced to the principal components of 80 % of their variance; the mixture has five clusters a class.
    """
    from sklearn.decomposition import PCA
    from sklearn.mixture import GaussianMixture

    reduced = PCA(n_components=0.8, svd_solver="full").fit_transform(np.asarray(features, "f8"))
    known, places = np.unique(labels, return_inverse=True)
    clusters = min(clusters_a_class * len(known), len(reduced) // 2)
    mixture = GaussianMixture(clusters, covariance_type="diag", random_state=seed).fit(reduced)
    belongs = mixture.predict_proba(reduced)
    joint = np.stack([belongs[places == place].sum(0) for place in range(len(known))]) / len(labels)
    given_cluster = joint / np.maximum(joint.sum(0), 1e-300)
    likelihood = (belongs @ given_cluster.T)[np.arange(len(labels)), places]
    return float(np.log(np.maximum(likelihood, 1e-300)).mean())
