"""How near made things are to real ones, as sets of vectors (samples, size): distances, precision, recall, coverage.

Nothing here knows of pictures; whose feature space it is belongs into a score's name.
"""

import torch
from torch import Tensor

_CHUNK = 1024


def frechet_distance(real: Tensor, made: Tensor) -> float:
    """Return the squared Fréchet distance of the Gaussians fitted to two sets (Heusel et al., 2017)."""
    return gaussian_distance(*_moments(real), *_moments(made))


def gaussian_distance(mean_a: Tensor, covariance_a: Tensor, mean_b: Tensor, covariance_b: Tensor) -> float:
    """Return |m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)) (Dowson and Landau, 1982)."""
    root = _root(covariance_a)
    # (S_a S_b)^(1/2) has the eigenvalues of the symmetric (R S_b R)^(1/2) with R = S_a^(1/2)
    cross = torch.linalg.eigvalsh(root @ covariance_b @ root).clamp(min=0).sqrt().sum()
    distance = (mean_a - mean_b).square().sum() + covariance_a.trace() + covariance_b.trace() - 2 * cross
    return max(0.0, float(distance))  # rounding may leave less than nothing of equal sets


def kernel_distance(real: Tensor, made: Tensor, *, subsets: int = 20, size: int = 1000, seed: int = 0) -> float:
    """Return KID (Bińkowski et al., 2018): the unbiased squared MMD under k(a, b) = (a b / size + 1)^3.

    It is the mean over `subsets` pairs of subsets of `size`, drawn by the seed; of sets that small the whole once. It
    may fall below 0 where the sets are alike.
    """
    if len(real) <= size and len(made) <= size:
        return _mmd(real.double(), made.double())
    random = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(subsets):
        parts = [rows[torch.randperm(len(rows), generator=random)[:size].to(rows.device)] for rows in (real, made)]
        found.append(_mmd(parts[0].double(), parts[1].double()))
    return sum(found) / len(found)


def precision_recall(real: Tensor, made: Tensor, *, neighbours: int = 3) -> tuple[float, float]:
    """Return in percent how many made ones lie near real ones, and how many real ones near made ones.

    These are precision and recall of Kynkäänniemi et al., 2019. Near is within a sphere around one of the others that
    reaches to its `neighbours`-th nearest.
    """
    return _covered(made, real, neighbours), _covered(real, made, neighbours)


def class_shares(predicted: Tensor, num_classes: int) -> Tensor:
    """Return the share of each class among predictions, (num_classes,)."""
    return torch.bincount(predicted, minlength=num_classes).double() / len(predicted)


def covered_modes(shares: Tensor) -> int:
    """Count the classes with 0.4 to 2 times their equal share: 4 to 20 percent of ten classes."""
    times = shares * len(shares)
    return int(((times >= 0.4 - 1e-9) & (times <= 2 + 1e-9)).sum())


def sliced_wasserstein(real: Tensor, made: Tensor, *, directions: int = 256, seed: int = 0) -> float:
    """Return the mean 1-Wasserstein distance along unit directions, drawn by the seed (Rabin et al., 2011).

    A shift of every coordinate by c is about 0.8 c. Both sets must have as many samples.
    """
    random = torch.Generator().manual_seed(seed)
    slices = torch.randn(real.shape[1], directions, generator=random).to(real)
    slices = slices / slices.norm(dim=0, keepdim=True)
    along = [(rows @ slices).sort(0).values for rows in (real, made)]
    return float((along[0] - along[1]).abs().double().mean())


def nearest(queries: Tensor, references: Tensor) -> Tensor:
    """Return the place of the reference nearest to each query."""
    parts = [torch.cdist(part, references).argmin(1) for part in torch.split(queries, _CHUNK)]
    return torch.cat(parts)


def _moments(rows: Tensor) -> tuple[Tensor, Tensor]:
    rows = rows.double()
    mean = rows.mean(0)
    centred = rows - mean
    return mean, centred.T @ centred / (len(rows) - 1)


def _root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = vectors * values.clamp(min=0).sqrt() @ vectors.T
    return root


def _mmd(real: Tensor, made: Tensor) -> float:
    within = 0.0
    for rows in (real, made):
        kernel = _kernel(rows, rows)
        within += float((kernel.sum() - kernel.trace()) / (len(rows) * (len(rows) - 1)))
    return within - 2 * float(_kernel(real, made).mean())


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.T / a.shape[1] + 1) ** 3


def _covered(queries: Tensor, references: Tensor, neighbours: int) -> float:
    """Return in percent how many queries lie in the sphere of a reference."""
    radii = []
    for part in torch.split(references, _CHUNK):
        near = torch.cdist(part, references).topk(min(neighbours + 1, len(references)), largest=False)
        radii.append(near.values[:, -1])  # the nearest of all is the reference itself
    reach = torch.cat(radii)
    inside = [(torch.cdist(part, references) <= reach).any(1) for part in torch.split(queries, _CHUNK)]
    return 100 * float(torch.cat(inside).double().mean())
