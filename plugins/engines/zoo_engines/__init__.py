"""Engines for zoo: torch.compile, ONNX Runtime and OpenVINO compute what `zoo predict` and `zoo embed` ask."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_engines() -> Iterator[zoo.EngineSpec]:
    yield zoo.EngineSpec(
        name="compile",
        summary="torch.compile: kernels made for this model and machine; needs a C++ compiler or a GPU",
        target="zoo_engines.compiled:compile",
    )
    yield zoo.EngineSpec(
        name="onnxruntime",
        summary="ONNX Runtime (pip install 'zoo-engines[onnxruntime]')",
        target="zoo_engines.onnx:onnxruntime",
    )
    yield zoo.EngineSpec(
        name="openvino",
        summary="OpenVINO, on processors (pip install 'zoo-engines[openvino]')",
        target="zoo_engines.vino:openvino",
    )
