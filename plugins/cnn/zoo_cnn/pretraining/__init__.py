"""Recipes that pretrain any image backbone, with labels and without them."""
