"""ONNX Runtime as an engine."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

import zoo
from zoo_engines.graph import exported, quiet
from zoo_engines.needs import installed


def onnxruntime(function: nn.Module, example: Sequence[Tensor], free: Sequence[tuple[int, ...]]) -> Callable[..., Any]:
    """Return what ONNX Runtime makes of the function, on a processor or a GPU. Keeps zoo.Engine."""
    runtime = installed("onnxruntime", "onnxruntime")
    installed("onnxruntime", "onnx", "onnxscript")
    device = example[0].device
    provider = "CPUExecutionProvider" if device.type == "cpu" else f"{device.type.upper()}ExecutionProvider"
    if provider not in runtime.get_available_providers():
        raise zoo.UsageError(f"this onnxruntime has no {provider}; pip install onnxruntime-gpu, or --device cpu")
    if any(tensor.dtype is torch.bfloat16 for tensor in [*example, *function.parameters()]):
        raise zoo.UsageError("it takes no bfloat16; give --dtype float32")
    with quiet():
        program = torch.onnx.export(exported(function, example, free), dynamo=True, verbose=False)
    assert program is not None
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = runtime.InferenceSession(program.model_proto.SerializeToString(), options, providers=[provider])
    names = [given.name for given in session.get_inputs()]

    def compute(*tensors: Tensor) -> list[Tensor]:
        given = {name: tensor.contiguous().cpu().numpy() for name, tensor in zip(names, tensors, strict=True)}
        return [torch.from_numpy(array).to(device) for array in session.run(None, given)]

    return compute
