"""The first mask of an object, from a box or clicks alone."""
