"""What of a clip is the same in every frame: the table."""
