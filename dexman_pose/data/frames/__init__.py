"""What a stored frame becomes when it is shown: its colours, its way up, its stream, its file."""
