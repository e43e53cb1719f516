"""The default hand detector: MediaPipe's two networks with own pre- and post-processing."""
