"""Tools on pictures: masks, optical flow, correlation."""

from dexman_pose._optional import require_engine

require_engine("looking at pictures")
