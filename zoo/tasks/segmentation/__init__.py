"""Image segmentation: say for each pixel of a picture which class it shows."""
