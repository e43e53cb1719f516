"""Tiny data sets in the formats of others, made in code."""
