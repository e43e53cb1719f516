"""How a lost object is found again."""
