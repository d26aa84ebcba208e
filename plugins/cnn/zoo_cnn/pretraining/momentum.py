"""A teacher that follows its student as a moving average (He et al., 2020; Grill et al., 2020; Caron et al., 2021).

After each step of the student: teacher <- m teacher + (1 - m) student.
"""

import copy
from typing import TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def teacher_of(student: Module) -> Module:
    """Return a copy that no gradient reaches."""
    return copy.deepcopy(student).requires_grad_(False)


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, momentum: float, *, share: int = 1) -> None:
    """Move the teacher's parameters to the student's; its running statistics are its own.

    Called once for each of `share` micro-batches of a step, all of them together move it by the momentum.
    """
    # state_dict, because after a forward pass FSDP2 shows whole parameters elsewhere, and changes to those get lost
    theirs = student.state_dict(keep_vars=True)
    for name, value in teacher.state_dict(keep_vars=True).items():
        if isinstance(value, nn.Parameter):
            value.lerp_(theirs[name], 1 - momentum ** (1 / share))
