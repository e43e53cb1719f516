"""Objects for a simulator: convex pieces, mass and inertia, and a pose that stands."""
