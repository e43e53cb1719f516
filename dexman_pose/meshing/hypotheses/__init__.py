"""Shapes that would explain the outline of an object: swollen outlines, bodies of revolution, extrusions, boxes."""
