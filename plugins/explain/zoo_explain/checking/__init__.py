"""Whether a map can be trusted: whether it finds what decides, and whether it follows the weights."""
