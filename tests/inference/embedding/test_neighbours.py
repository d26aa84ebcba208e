"""The nearest rows, by cosine: none is its own neighbour, and parts make no difference."""

import torch

from zoo.inference.embedding.neighbours import nearest


def test_the_nearest_rows_come_first_whatever_the_parts() -> None:
    vectors = torch.randn(50, 7, generator=torch.Generator().manual_seed(0))
    unit = vectors / vectors.norm(dim=1, keepdim=True)
    cosines = unit @ unit.T
    cosines.fill_diagonal_(-2)
    wanted = cosines[:8].topk(4)
    for size in (1, 3, 20, 50):
        found = nearest(lambda size=size: torch.split(vectors, size), 8, 4)  # type: ignore[misc]
        assert [[place for place, _ in row] for row in found] == wanted.indices.tolist()
        assert torch.allclose(torch.tensor([[cosine for _, cosine in row] for row in found]), wanted.values, atol=1e-6)


def test_few_rows_have_few_neighbours() -> None:
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    assert nearest(lambda: [vectors], 8, 5) == [[(1, 0.0), (2, 0.0)], [(0, 0.0), (2, 0.0)], [(0, 0.0), (1, 0.0)]]
    assert nearest(lambda: [vectors[:1]], 8, 5) == [[]]
