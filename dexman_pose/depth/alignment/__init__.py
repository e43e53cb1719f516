"""Chunks of guessed depth, each right up to a map of its own, brought to the depth of the first."""
