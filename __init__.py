"""erbia."""
