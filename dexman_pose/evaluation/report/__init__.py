"""The pages about scores: HTML, Markdown, plots, overlays."""
