"""What a run finds out of objects of known shape before masks are made."""
