"""Meshes on their way out: to files and to trimesh."""
