"""What the tests of weights share with those of models: random weights and what close means."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
