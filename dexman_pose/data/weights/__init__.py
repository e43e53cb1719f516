"""Parts of a network's weights: what a card says of them, how they are fetched, and how they are checked."""
