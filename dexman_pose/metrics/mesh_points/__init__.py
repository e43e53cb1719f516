"""What metrics need of a set of vertices, prepared once and kept: its hull, its diameter, vertices far apart."""
