"""SAM 2 and EdgeTAM through transformers: objects remembered from frame to frame."""
