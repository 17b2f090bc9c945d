"""One owner per instrument: whoever opens an address on this machine keeps others from it, whatever station names it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from ..analysis.errors import UsageError


class Ownership:
    """Holds addresses for this process until ``release`` or its end.

    Raises:
        UsageError: an address is held by another living process; names it and the instrument.
    """

    def __init__(self, folder: Path, addresses: Mapping[str, str]) -> None:
        self._held: list[Path] = []
        try:
            for instrument, address in addresses.items():
                self._hold(folder, instrument, address)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Lets others have them."""
        for path in self._held:
            path.unlink(missing_ok=True)
        self._held.clear()

    def _hold(self, folder: Path, instrument: str, address: str) -> None:
        path = folder / f"owner-{hashlib.sha256(address.encode()).hexdigest()[:16]}.json"
        me = {"pid": os.getpid(), "created_s": psutil.Process().create_time(), "instrument": instrument}
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(me), encoding="utf-8")
        try:
            if (owner := _owner(path)) is None:
                path.unlink(missing_ok=True)  # left by a process that is gone
            elif owner != os.getpid():
                raise UsageError(f"{instrument} ({address}) is owned by process {owner}; end that first")
            else:
                return  # ours already, under another name
            try:
                os.link(draft, path)
            except FileExistsError as error:
                raise UsageError(f"{instrument} ({address}) was taken by another process just now") from error
            self._held.append(path)
        finally:
            draft.unlink(missing_ok=True)


def _owner(path: Path) -> int | None:
    """The living process that holds it."""
    with suppress(FileNotFoundError, json.JSONDecodeError, KeyError, psutil.NoSuchProcess):
        held = json.loads(path.read_text(encoding="utf-8"))
        process = psutil.Process(held["pid"])
        if process.create_time() == held["created_s"] and process.status() != psutil.STATUS_ZOMBIE:
            return int(held["pid"])
    return None
