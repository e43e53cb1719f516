"""An own hand model: skeleton, skin, surface."""
