"""The stage that finds the table and the world frame, its file, and what is said of it."""
