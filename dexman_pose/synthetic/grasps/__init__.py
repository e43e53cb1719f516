"""Films of measured grasps with exact truth: motion, hands, scenes, cameras, pictures."""
