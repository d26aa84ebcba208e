"""Maps over images: methods, what they explain of each task, and how they are drawn."""
