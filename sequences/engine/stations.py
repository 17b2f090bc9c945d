"""Which stations come with the package."""

from __future__ import annotations

from importlib.resources import files


def shipped_stations() -> list[str]:
    """Names of the shipped station files, sorted."""
    folder = files("erbia.configs") / "stations"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))
