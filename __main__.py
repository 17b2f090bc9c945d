"""``python -m erbia``."""

from .cli import main

main()
