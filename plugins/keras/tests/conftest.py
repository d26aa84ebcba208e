import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from zoo.testing import served_hub as served_hub
