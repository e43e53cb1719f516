"""Pointing at objects in a clip: what is pointed at, and a page on this machine to do it with."""
