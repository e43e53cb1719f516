"""Cards of pretrained networks: source, licence, size, hash, what was verified. Data only."""
