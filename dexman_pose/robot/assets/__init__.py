"""Robots: where their files are, what is known of them, and models of free hands."""
