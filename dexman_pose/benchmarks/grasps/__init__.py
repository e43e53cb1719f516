"""Measured grasps planned for a robot's hand: how many are lifted as they were, and how surely."""
