"""What only a GPU shows. Skipped, with the reason, where there is none."""

from pathlib import Path

import pytest
import torch
from players import made, run, weights

from zoo.engine.checkpoint import read_checkpoint, write_checkpoint
from zoo.engine.distribution import Distribution
from zoo.engine.snapshot import restore, take

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU, and there is none here"),
]


def test_bf16_and_compiled_blocks_learn_what_fp32_does() -> None:
    device = Distribution(torch.device("cuda:0"))
    plain, fast = made(device), made(device, precision="bf16", compile=True)
    for stepper in (plain, fast):
        run(stepper)
    there = weights(fast)
    assert max(float((tensor - there[name]).abs().max()) for name, tensor in weights(plain).items()) < 0.2


def test_a_checkpoint_of_a_gpu_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    device = Distribution(torch.device("cuda:0"))
    whole, part, resumed = (made(device, ema=0.9) for _ in range(3))
    run(whole)
    run(part, last=20)
    write_checkpoint(tmp_path / "step-20", take(part, {"step": 20}, {}))
    restore(read_checkpoint(tmp_path / "step-20"), resumed, "it")
    run(resumed, 20)
    there = weights(resumed)
    assert all(torch.equal(tensor, there[name]) for name, tensor in weights(whole).items())


def test_draws_are_those_of_the_cpu() -> None:
    from zoo.data.draws import Draws

    samples = torch.arange(1000)
    here, there = Draws(1, 2, samples), Draws(1, 2, samples.cuda())
    assert torch.equal(here.uniform("a", 7), there.uniform("a", 7).cpu())
    assert torch.equal(here.integers("b", 0, 9), there.integers("b", 0, 9).cpu())
    assert torch.allclose(here.normal("c", 5), there.normal("c", 5).cpu(), atol=1e-5)
