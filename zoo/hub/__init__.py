"""Talk to a Hub, and be one. Free of torch and numpy."""
