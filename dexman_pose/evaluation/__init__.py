"""Scoring anyone's predictions on a dataset by a protocol: predictions, scores, tables."""
