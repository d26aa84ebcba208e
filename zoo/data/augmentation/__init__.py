"""Augment whole batches on their device, each sample with its own draw: a sample's result does not depend on its batch.

Images are floats in [0, 1] of shape (batch, channels, height, width). `names` lists the policies and needs no torch.
"""
