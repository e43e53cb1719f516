"""What one frame shows of one object."""
