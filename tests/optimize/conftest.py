"""Lets the tests of the solver import the evidence they share."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # tests are imported one by one: their helper is found here
