"""Masks of what is as bright as what the prompt shows: a small example of a method in an environment of its own."""
