"""One owner per instrument: whoever opens an address on this machine keeps others from it, whatever station names it."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import psutil

from ..analysis.errors import UsageError

Purpose = Literal["use", "switching off"]
#: Switching a station off after its owner died takes about as long as opening it.
_SWITCHING_OFF_S = 30.0


class Ownership:
    """Holds addresses for this process until ``release`` or its end; waits for one who is only switching them off.

    Attributes:
        left_behind: the last owner of one of them died without releasing it, so it may still emit.

    Raises:
        UsageError: an address is held by another living process; names it and the instrument.
    """

    def __init__(self, folder: Path, addresses: Mapping[str, str], purpose: Purpose = "use") -> None:
        self._held: list[Path] = []
        self._purpose = purpose
        self.left_behind = False
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
        me["purpose"] = self._purpose
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(me), encoding="utf-8")
        try:
            owner = _wait_for_owner(path)
            if owner is None:
                self.left_behind |= path.exists()
                path.unlink(missing_ok=True)
            elif owner["pid"] != os.getpid():
                raise UsageError(f"{instrument} ({address}) is owned by process {owner['pid']}; end that first")
            else:
                return  # ours already, under another name
            try:
                os.link(draft, path)
            except FileExistsError as error:
                raise UsageError(f"{instrument} ({address}) was taken by another process just now") from error
            self._held.append(path)
        finally:
            draft.unlink(missing_ok=True)


def _wait_for_owner(path: Path) -> dict[str, Any] | None:
    """The living process that holds it, once it is not another one that switches it off."""
    deadline = time.monotonic() + _SWITCHING_OFF_S
    while (owner := _owner(path)) is not None and _will_let_go(owner) and time.monotonic() < deadline:
        time.sleep(0.05)
    return owner


def _will_let_go(owner: Mapping[str, Any]) -> bool:
    return bool(owner["purpose"] == "switching off" and owner["pid"] != os.getpid())


def _owner(path: Path) -> dict[str, Any] | None:
    with suppress(FileNotFoundError, json.JSONDecodeError, KeyError):
        held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if is_alive(held["pid"], held["created_s"]):
            return held
    return None


def is_alive(pid: int, created_s: float) -> bool:
    """Whether the process made at that time still runs (a reused pid does not count)."""
    try:
        process = psutil.Process(pid)
        same: bool = process.create_time() == created_s
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
