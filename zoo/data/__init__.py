"""Data sets: found by name or path, decoded once, gathered and augmented as tensors."""
