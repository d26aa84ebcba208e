"""What plugins hand over, and the protocols they keep."""
