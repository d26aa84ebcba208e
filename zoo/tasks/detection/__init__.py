"""Say where in a picture which things are: an anchor-free head over the feature pyramid of any image backbone."""
