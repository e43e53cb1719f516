"""Segmentation without weights: colour and motion from one prompt, through the whole clip."""
