"""Meshes that networks make of one picture: which picture they are shown, and what becomes of their answer."""
