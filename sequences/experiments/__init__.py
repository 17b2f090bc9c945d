"""The experiments, one file each; ``registry`` finds them by name."""
