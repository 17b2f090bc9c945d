"""Files that extend one another: what a file does not say is as in the file it extends.

Mappings are merged key by key, however deep; anything else (a number, a text, a list) replaces what was there; a key with
nothing behind it (``key:`` or ``null``) takes it away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .config_file import depth_of, line_of, plain, read_yaml
from .errors import ConfigError

#: The key that names the file to extend.
EXTENDS = "extends"


@dataclass(frozen=True, slots=True)
class Layers:
    """A file and those it extends, itself first, parsed with positions kept."""

    files: tuple[tuple[Path, Mapping[str, Any]], ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(path for path, _ in self.files)

    def merged(self) -> dict[str, Any]:
        """What all of them together say, as plain dicts, lists and scalars; ``extends`` is what the first says."""
        first, *others = (plain(content) for _, content in reversed(self.files))
        for layer in others:
            first = _over(first, layer)
        return first  # type: ignore[no-any-return]

    def place(self, loc: Sequence[str | int]) -> str:
        """``file:line`` of the file that says most of the path ``loc``; of two alike, the one that extends the other."""
        path, content = max(self.files, key=lambda file: depth_of(file[1], loc))
        return f"{path}:{line_of(content, loc)}"


def read_layers(path: Path, find: Callable[[str], Path]) -> Layers:
    """The file and whatever it extends; ``find`` gives the path of a name that is no file's.

    Raises:
        ConfigError: one of them cannot be read, or they extend one another in a circle.
    """
    files: list[tuple[Path, Mapping[str, Any]]] = []
    following: Path | None = path
    while following is not None:
        content = read_yaml(following)
        if not isinstance(content, Mapping):
            raise ConfigError(f"{following}: holds {type(content).__name__}, expected keys")
        files.append((following, content))
        following = _extended(files, find)
    return Layers(tuple(files))


def _extended(files: Sequence[tuple[Path, Mapping[str, Any]]], find: Callable[[str], Path]) -> Path | None:
    path, content = files[-1]
    if EXTENDS not in content:
        return None
    name, where = content[EXTENDS], f"{path}:{line_of(content, (EXTENDS,))}: {EXTENDS}"
    if not isinstance(name, str):
        raise ConfigError(f"{where} is {name!r}; give the name of a shipped station or a .yaml file beside this one")
    try:
        base = path.parent / name if name.endswith((".yaml", ".yml")) else find(str(name))
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    if not base.is_file():
        raise ConfigError(f"{where}: there is no {base}")
    visited = [file.resolve() for file, _ in files]
    if base.resolve() in visited:
        circle = " → ".join(p.name for p in (*visited[visited.index(base.resolve()) :], base))
        raise ConfigError(f"{where}: {circle} is a circle; one of them must stand on its own")
    return base


def _over(base: Any, own: Any) -> Any:
    if not isinstance(own, Mapping):
        return own
    known = base if isinstance(base, Mapping) else {}
    kept = {key: value for key, value in known.items() if key not in own}
    said = {key: _over(known.get(key), value) for key, value in own.items() if value is not None}
    return {key: said[key] if key in said else kept[key] for key in (*known, *own) if key in said or key in kept}
