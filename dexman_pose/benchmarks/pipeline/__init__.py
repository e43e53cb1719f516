"""The whole pipeline of two checkouts beside each other: time, memory and results, stage by stage."""
