"""Pickled weights, opened once and on purpose, in a process of their own."""
