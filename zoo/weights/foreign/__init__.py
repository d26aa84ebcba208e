"""Weights that other libraries wrote."""
