"""Weights of tokens: of texts that are classified, of masked words, and of texts that are read to write others."""
