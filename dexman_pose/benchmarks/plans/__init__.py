"""Plans made from video: clips reconstructed by the default pipeline, planned for a robot's hands, and judged."""
