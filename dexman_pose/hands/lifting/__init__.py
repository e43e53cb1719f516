"""Hands lifted from the image to metric joints in the camera frame."""
