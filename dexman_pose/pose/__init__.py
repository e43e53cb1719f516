"""Placeholder: replaced by the room's public names."""
