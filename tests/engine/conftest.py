"""Modules that the engine's tests share, which torchrun starts as programs too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
