"""Measuring: speed, accuracy on rendered scenes, accuracy on real clips."""

from dexman_pose._optional import require_engine

require_engine("measuring")
