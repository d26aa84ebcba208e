"""The one loop, run folders, checkpoints, distribution."""
