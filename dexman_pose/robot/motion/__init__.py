"""What hands and objects did, in a world with gravity, at the rate of a robot's controls."""
