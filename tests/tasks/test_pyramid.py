"""The feature pyramid over backbones of every shape."""

import pytest
import torch

import zoo
from zoo.tasks.pyramid import FeaturePyramid, map_size, stages_by_reduction


def info(*reductions: int) -> list[zoo.FeatureInfo]:
    return [zoo.FeatureInfo(4 + stage, reduction, f"stage{stage}") for stage, reduction in enumerate(reductions)]


def maps(pyramid: FeaturePyramid, stages: list[zoo.FeatureInfo], size: tuple[int, int]) -> list[torch.Tensor]:
    return [
        torch.rand(2, stages[stage].channels, *map_size(size, stages[stage].reduction), requires_grad=True)
        for stage in pyramid.stages
    ]


@pytest.mark.parametrize(
    ("stages", "reductions"),
    [
        pytest.param((2, 4, 8, 16, 32), (8, 16, 32), id="levels the backbone has"),
        pytest.param((2, 4, 8), (4, 8, 16, 32), id="coarser ones beyond it"),
        pytest.param((16,), (4, 8, 16, 32), id="finer ones than any"),
        pytest.param((1, 2, 4), (8, 16), id="coarser ones than any"),
        pytest.param((1, 2), (16,), id="a much coarser one"),
        pytest.param((4, 16), (4, 8, 16), id="one that it skips"),
        pytest.param((1, 1, 2, 2), (1, 2), id="several stages of one reduction"),
    ],
)
def test_gives_a_map_of_one_width_for_each_reduction(stages: tuple[int, ...], reductions: tuple[int, ...]) -> None:
    pyramid = FeaturePyramid(info(*stages), width=16, reductions=reductions)
    inputs = maps(pyramid, info(*stages), (37, 50))
    levels = pyramid(inputs, (37, 50))
    assert [tuple(level.shape) for level in levels] == [(2, 16, *map_size((37, 50), r)) for r in reductions]
    sum(level.square().sum() for level in levels).backward()
    assert all(x.grad is not None and x.grad.abs().sum() > 0 for x in inputs), "every map counts"
    assert all(parameter.grad is not None for parameter in pyramid.parameters()), "every parameter counts"


def test_coarse_maps_reach_the_finest_level() -> None:
    pyramid = FeaturePyramid(info(4, 8, 16), width=8, reductions=(4, 8, 16))
    inputs = maps(pyramid, info(4, 8, 16), (32, 32))
    before = pyramid(inputs, (32, 32))[0]
    assert not torch.equal(before, pyramid([*inputs[:2], inputs[2] + torch.rand_like(inputs[2])], (32, 32))[0])


def test_the_last_stage_of_a_reduction_counts_and_14_is_16() -> None:
    assert stages_by_reduction(info(1, 1, 2, 4, 4)) == {1: 1, 2: 2, 4: 4}
    assert stages_by_reduction(info(14, 14)) == {16: 1}


def test_maps_that_are_a_little_smaller_are_scaled() -> None:
    pyramid = FeaturePyramid(info(14), width=8, reductions=(16,))
    assert pyramid([torch.rand(1, 4, 16, 16)], (224, 224))[0].shape[2:] == (14, 14)


@pytest.mark.parametrize("reductions", [(), (3, 6), (4, 16), (8, 4)])
def test_reductions_that_do_not_double(reductions: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="powers of two that double"):
        FeaturePyramid(info(4, 8), width=8, reductions=reductions)


def test_no_map_of_these_reductions() -> None:
    with pytest.raises(ValueError, match="maps of .16, 32., none of the reductions"):
        FeaturePyramid(info(16, 32), width=8, reductions=(4, 8))
