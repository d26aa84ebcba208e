"""Each engine computes what eager mode does; those that are not installed here are skipped, and say what to install."""

import os

import pytest

from zoo.testing import EngineTests


@pytest.mark.skipif(os.environ.get("ZOO_ENGINES") != "all", reason="compiling takes a minute: ZOO_ENGINES=all")
class TestCompile(EngineTests):
    name = "compile"


class TestOnnxRuntime(EngineTests):
    name = "onnxruntime"


class TestOpenVINO(EngineTests):
    name = "openvino"
