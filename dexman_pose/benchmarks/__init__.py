"""Measuring: speed, accuracy on rendered scenes, accuracy on real clips."""
