"""What `eval` does beside scoring, a command per file."""
