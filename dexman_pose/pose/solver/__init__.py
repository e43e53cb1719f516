"""The fused Levenberg-Marquardt solver of one frame: numbers only."""
