"""The simulated world: hands, objects and the table in one model, and controls for it."""
