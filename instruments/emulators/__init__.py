"""Servers of the instruments' own protocols on loopback, so that real drivers can be run without hardware."""
