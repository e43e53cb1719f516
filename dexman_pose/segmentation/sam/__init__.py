"""Segment Anything on every frame, each shown what the frame before found."""
