"""Everything that leaves the machine, and its check."""
