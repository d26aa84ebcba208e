"""What is known here: plugins, what they offer, and the weights that registry.json lists."""
