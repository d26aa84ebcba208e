"""Tasks of text: language itself, classes of texts, and texts that are written for others."""
