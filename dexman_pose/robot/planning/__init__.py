"""Controls that make objects follow a motion in a simulation, found by sampling."""
