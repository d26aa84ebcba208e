"""Recipes that pretrain autoencoders without labels."""
