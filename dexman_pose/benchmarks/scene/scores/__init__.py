"""Scores of a trajectory against the truth of a grasp film, one idea per file. What is not there is None."""
