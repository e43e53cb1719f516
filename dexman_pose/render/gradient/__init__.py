"""Warp kernels of the differentiable rasteriser: box, outline, antialiased mask, values of pixels, and derivatives."""
