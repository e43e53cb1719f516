"""The renderer of hands, objects and rooms: light with shadows, skin and sleeves, tables and walls, exact labels."""
