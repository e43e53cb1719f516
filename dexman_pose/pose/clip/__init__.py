"""Objects through a whole clip: start, alignment, scale, smoothing, shape."""
