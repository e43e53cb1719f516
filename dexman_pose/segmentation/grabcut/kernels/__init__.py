"""Warp kernels of the default backend, and the memory they share with numpy."""
