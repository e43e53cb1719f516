"""Lens models, exact, and OpenCV's coefficients that come nearest to them."""
