"""Autoencoders for zoo."""
