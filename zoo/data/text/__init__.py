"""Text: read from files, told in tokens, given out in batches."""
