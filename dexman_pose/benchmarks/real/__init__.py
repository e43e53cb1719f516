"""Accuracy on real pictures and clips whose poses are known."""
