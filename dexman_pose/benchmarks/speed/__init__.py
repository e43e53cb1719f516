"""Speed of the rasteriser, the pose engine and the metrics, beside others."""
