"""Folders of pictures with masks beside them: which belongs to which, what the values mean, decoded once."""
