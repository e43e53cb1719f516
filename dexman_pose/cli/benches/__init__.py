"""What `bench` does beside timing, a command per file."""
