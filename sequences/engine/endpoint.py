"""Where a station's engine listens: a file only its user can read, in the user's runtime folder."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs
import psutil

from ...analysis.errors import UsageError
from ..owners import is_alive

#: What the engine's own last words begin with, among whatever libraries print.
SAYS = "erbia engine: "


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Address and password of a running engine; ``pid`` with ``pid_created_s`` names its process for good."""

    address: str
    token: str
    pid: int
    pid_created_s: float

    def alive(self) -> bool:
        """Whether the process that wrote this still runs (a reused pid does not count)."""
        return is_alive(self.pid, self.pid_created_s)


def runtime_folder() -> Path:
    """The folder of this user's running engines, created on first use, closed to others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no login session: platformdirs falls back to a temporary folder
        folder = Path(platformdirs.user_runtime_dir("erbia", appauthor=False))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
        raise UsageError(f"{folder} belongs to another user; set XDG_RUNTIME_DIR to a folder of your own")
    return folder


def endpoint_file(station: str) -> Path:
    """The file of that station's engine; a station given by path is told apart by the path."""
    path = Path(station)
    mark = f"-{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}" if path.suffix else ""
    key = f"{path.stem}{mark}"
    return runtime_folder() / f"engine-{key}.json"


def read_endpoint(station: str) -> Endpoint | None:
    """The engine of that station, or None when none runs. A file left by a killed engine does not count."""
    try:
        endpoint = Endpoint(**json.loads(endpoint_file(station).read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return endpoint if endpoint.alive() else None


def write_endpoint(station: str, address: str, token: str) -> None:
    """Publishes this process as the station's engine.

    Raises:
        UsageError: another engine owns the station; names its process.
    """
    owner = read_endpoint(station)
    if owner is not None:
        raise UsageError(f"station {station} is already owned by the engine with pid {owner.pid}")
    endpoint = Endpoint(address, token, os.getpid(), psutil.Process().create_time())
    target = endpoint_file(station)
    draft = target.with_suffix(f".{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(endpoint), file)
    draft.replace(target)


def remove_endpoint(station: str) -> None:
    """Withdraws what this process published; another engine's file stays."""
    endpoint = read_endpoint(station)
    if endpoint is not None and endpoint.pid == os.getpid():
        endpoint_file(station).unlink()
