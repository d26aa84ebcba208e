"""OpenVINO as an engine."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

import zoo
from zoo_engines.graph import exported, quiet
from zoo_engines.needs import installed

_PRECISIONS = {torch.float32: "f32", torch.float16: "f16"}


def openvino(function: nn.Module, example: Sequence[Tensor], free: Sequence[tuple[int, ...]]) -> Callable[..., Any]:
    """Return what OpenVINO makes of the function, on a processor. Keeps zoo.Engine."""
    runtime = installed("openvino", "openvino")
    if example[0].device.type != "cpu":
        raise zoo.UsageError("it computes on processors here; give --device cpu")
    kinds = {tensor.dtype for tensor in [*example, *function.parameters()] if tensor.is_floating_point()}
    if not kinds <= set(_PRECISIONS):
        raise zoo.UsageError("it takes float32 and float16; give --dtype float32")
    with quiet():
        model = runtime.convert_model(exported(function, example, free))
    # by itself it would compute float32 in bfloat16 wherever the processor can
    precision = "f16" if kinds == {torch.float16} else "f32"
    options = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": torch.get_num_threads()}
    compiled = runtime.Core().compile_model(model, "CPU", options)

    def compute(*tensors: Tensor) -> list[Tensor]:
        found = compiled([tensor.contiguous().numpy() for tensor in tensors])
        return [torch.from_numpy(array) for array in found.values()]

    return compute
