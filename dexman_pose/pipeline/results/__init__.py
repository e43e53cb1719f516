"""What a run hands out: the trajectory, and the files that people look at."""
