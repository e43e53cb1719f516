"""A pose that is roughly right made exact: by outline, texture, edges, first order."""
