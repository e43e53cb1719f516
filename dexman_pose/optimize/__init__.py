"""The sparse solver of whole clips: poses in time and what they share, free of pictures."""
