"""Video of hands handling objects in, metric 6-DoF trajectories out."""

__version__ = "0.1.0"
