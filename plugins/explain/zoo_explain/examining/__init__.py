"""What a reviewer asks of a finetuned classifier."""
