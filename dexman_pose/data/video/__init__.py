"""Videos: reading frames exactly, and writing them."""
