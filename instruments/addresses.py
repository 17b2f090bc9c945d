"""Where an instrument is: on this computer (where an emulator can stand for it) or out in the lab."""

from __future__ import annotations

import re
from pathlib import Path


def is_on_this_computer(address: str) -> bool:
    """Whether the address is a loopback host, or a serial path that is a pseudo terminal or does not exist."""
    path = serial_path(address)
    if path:
        return not Path(path).exists() or Path(path).resolve().is_relative_to("/dev/pts")
    return re.search(r"(^|::)(127\.\d+\.\d+\.\d+|localhost)", address) is not None


def serial_path(address: str) -> str:
    """``/dev/ttyUSB0`` of a path or of ``ASRL/dev/ttyUSB0::INSTR``; empty for any other address."""
    match = re.fullmatch(r"(?:ASRL)?(/.*?)(?:::INSTR)?", address)
    return match[1] if match else ""
