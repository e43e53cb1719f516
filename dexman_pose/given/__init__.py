"""What other programs made of a clip, read for use in a run: masks, hands, poses, depth."""
