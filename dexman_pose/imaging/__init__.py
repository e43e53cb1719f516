"""Tools on pictures: masks, optical flow, correlation."""
