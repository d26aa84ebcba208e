"""Vectors of many items, in parts on disk."""
