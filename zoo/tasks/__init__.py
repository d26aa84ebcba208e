"""What models are finetuned for."""
