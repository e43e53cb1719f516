"""An object of unknown shape followed through a clip with depth, and the mesh that this gives."""
