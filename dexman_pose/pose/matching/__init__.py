"""Matches between a posed mesh and a picture: texture, edges, creases, points, earlier views."""
