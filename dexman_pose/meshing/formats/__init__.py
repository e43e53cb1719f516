"""Readers of mesh files: each gives what its file holds, in the unit of the file."""
