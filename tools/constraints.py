"""Prints the constraints file: the installed version of every package erbia needs, extras gui, test and dev included."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def installed_closure(name: str, extras: frozenset[str], found: dict[tuple[str, frozenset[str]], str]) -> None:
    """Adds ``name[extras]`` and all it requires on this platform to ``found``: (name, extras) -> version."""
    key = (canonicalize_name(name), extras)
    if key in found:
        return
    try:
        package = distribution(name)
    except PackageNotFoundError:
        sys.exit(f"{name} is required but not installed: run `make test` first")
    found[key] = package.version
    for line in package.requires or []:
        requirement = Requirement(line)
        wanted = requirement.marker is None or any(requirement.marker.evaluate({"extra": e}) for e in extras | {""})
        if wanted:
            installed_closure(requirement.name, frozenset(requirement.extras), found)


def main() -> None:
    found: dict[tuple[str, frozenset[str]], str] = {}
    installed_closure("erbia", frozenset({"gui", "test", "dev"}), found)
    pins = sorted({f"{name}=={version}" for (name, _), version in found.items() if name != "erbia"})
    lines = ["# Versions the tests ran with (names and versions only); written by `make constraints`.", *pins]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
