"""An emulated lab in a process of its own, at loopback addresses nobody else uses."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from qcodes.instrument import Instrument
from ruamel.yaml import YAML

Emulate = Callable[..., Path]
TIMEOUT_S = 30.0
_numbers = itertools.count()


@pytest.fixture
def emulate(tmp_path: Path) -> Iterator[Emulate]:
    """Starts ``erbia emulate STATION …`` and returns the station file a run uses; ends it with the test."""
    with ExitStack() as stack:
        stack.callback(Instrument.close_all)

        def start(station: str | Path, *options: str) -> Path:
            number = os.getpid() % 20_000 + 20_000 * (next(_numbers) % 3)
            at = f"127.{1 + number // 250}.{1 + number % 250}"
            copy, endpoints = tmp_path / f"lab{number}.yaml", tmp_path / f"endpoints{number}.json"
            command = [sys.executable, "-m", "erbia", "emulate", str(station), "--at", at, "--copy", str(copy)]
            with (tmp_path / "emulate.log").open("w") as log:
                process = subprocess.Popen([*command, "--endpoints", str(endpoints), *options], stdout=log, stderr=log)
            stack.callback(_end, process)
            deadline_s = time.monotonic() + 120
            while not endpoints.exists():
                assert process.poll() is None, (tmp_path / "emulate.log").read_text()
                assert time.monotonic() < deadline_s, "the emulators did not start"
                time.sleep(0.05)
            _be_patient(copy)
            return copy

        yield start


def _be_patient(station: Path) -> None:
    """A computer that is busy with other things answers late: here that is no fault."""
    yaml = YAML()  # keeps the order: composites come after their parts
    plain = yaml.load(station)
    for section in plain["instruments"].values():
        if section.get("address"):
            section.setdefault("init", {})["timeout"] = TIMEOUT_S
    yaml.dump(plain, station)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
