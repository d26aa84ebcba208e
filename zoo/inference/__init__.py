"""What a loaded model can be asked."""
