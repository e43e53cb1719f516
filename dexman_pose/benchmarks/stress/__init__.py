"""Accuracy of the pose engine on rendered scenes with exact truth."""
