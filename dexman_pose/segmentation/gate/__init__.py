"""What makes masks doubtful whoever made them: leaks, flicker, jumps, and objects that change places."""
