"""Poses by what an outline separates: colours on both sides of it, read along lines across the drawn contour."""
