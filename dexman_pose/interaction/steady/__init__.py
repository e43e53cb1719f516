"""Objects whose tracks tremble, made steady by what carries them and what they stand on."""
