"""Text from models of text: what they write behind a prompt, or of what they read, and vectors of texts."""
