"""A plan: controls, what they do in simulations, and a file of it."""
