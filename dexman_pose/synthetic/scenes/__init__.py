"""Rendered scenes of one object under hard conditions."""
