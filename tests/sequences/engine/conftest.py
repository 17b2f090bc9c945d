"""A lab small enough to see through: one laser, one experiment that clicks until told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict, Field
from qcodes.instrument import Instrument
from qcodes.station import Station
from qcodes.validators import Bool, Numbers

from erbia.analysis.errors import ErbiaError
from erbia.analysis.records import Estimate, TagBlock, TimeTags
from erbia.sequences.control import RunControl
from erbia.sequences.documents import Document, Progress, Result, RunStart, RunStop, Tags
from erbia.sequences.engine.archive import Archive
from erbia.sequences.engine.client import EngineClient
from erbia.sequences.engine.service import Service, serving
from erbia.sequences.engine.spool import Spool
from erbia.sequences.engine.supervisor import Supervisor
from erbia.sequences.experiments.base import Plan, Setting


class Clicks:
    """Clicks for a number of blocks."""

    name = "clicks"
    title = "Count clicks"

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        blocks: int = Field(10, ge=1, le=10**9, description="blocks to record")
        fail: bool = False

    def __init__(self, config: Config) -> None:
        self.config = config

    def on(self, nodes: dict[str, Any]) -> Clicks:
        return self

    def build(self) -> Plan:
        return Plan((Setting("all", None, {"laser.emission": True}),), ("midpoint",))


class SmallLab:
    """The parts of a lab the engine uses."""

    simulated = True
    nodes: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        laser = Instrument("laser")
        laser.add_parameter("power", unit="W", vals=Numbers(0, 0.01), set_cmd=None, get_cmd=None, initial_value=0.001)
        laser.add_parameter("emission", vals=Bool(), set_cmd=None, get_cmd=None, initial_value=True)
        laser.add_parameter("wavelength", unit="m", get_cmd=lambda: 1.5e-6, set_cmd=False)
        self.station = Station(default=False)
        self.station.add_component(laser, update_snapshot=False)
        self.laser = laser
        self.loaded = SimpleNamespace(held={})
        self.closed = False
        self.made_safe = threading.Event()

    def hold(self, parameter: str, value: Any) -> None:
        self.loaded.held[parameter] = value
        self.laser.parameters[parameter.removeprefix("laser.")].set(value)

    def budget(self, experiment: Any, out_dir: Path) -> list[dict[str, Any]]:
        return [{"name": "run time", "value": 1.0, "unit": "s", "allowed": "", "verdict": "ok", "reason": ""}]

    def make_safe(self) -> None:
        self.laser.parameters["emission"].set(False)
        self.made_safe.set()

    def close(self) -> None:
        self.station.close_all_registered_instruments()
        self.closed = True

    def run(
        self,
        experiment: str,
        *,
        out_dir: Path,
        subscribers: Sequence[Callable[[Document], None]],
        control: RunControl,
        operator: str,
        monitors: dict[str, Any],
        **config: Any,
    ) -> None:
        def tell(document: Document) -> None:
            for subscriber in subscribers:
                subscriber(document)

        settings = Clicks.Config(**{k: v for k, v in config.items() if "." not in k})
        tell(RunStart("r1", experiment, str(out_dir / "r1.h5"), True, config, ("midpoint",), "2026-01-01T00:00:00Z"))
        if settings.fail:
            raise ErbiaError("the laser is on holiday")
        for block in range(settings.blocks):
            control.wait_while_paused()
            if control.stop_asked():
                tell(RunStop("aborted", f"stopped ({control.stop_asked()})"))
                return
            tags = TimeTags(np.array([block * 1000], np.int64), np.array([1], np.uint8))
            tell(Tags(TagBlock(tags, block * 1000, block * 1000 + 1000, "midpoint"), {"A": 1e9}))
            tell(Result({"clicks": Estimate(block + 1, block, block + 2, 0.95, 1.0, block + 1, "count")}))
            tell(Progress((block + 1) / settings.blocks, block * 1e-9, None))
            time.sleep(0.001)
        tell(RunStop("done"))


@pytest.fixture
def lab() -> Iterator[SmallLab]:
    lab = SmallLab()
    yield lab
    if not lab.closed:
        lab.close()


@pytest.fixture
def supervisor(lab: SmallLab, tmp_path: Path) -> Iterator[Supervisor]:
    spool = Spool(tmp_path / "documents.jsonl")
    supervisor = Supervisor(lab, "small", 1, {"clicks": Clicks}, spool, tmp_path)  # type: ignore[arg-type]
    supervisor.spool = spool  # type: ignore[attr-defined]
    yield supervisor
    supervisor.close()
    spool.close()


@pytest.fixture
def service(supervisor: Supervisor, tmp_path: Path) -> Service:
    return Service(supervisor, supervisor.spool, Archive(tmp_path))  # type: ignore[attr-defined]


@pytest.fixture
def address(service: Service) -> Iterator[tuple[str, str]]:
    with serving(service) as address:
        yield address


@pytest.fixture
def client(address: tuple[str, str]) -> Iterator[EngineClient]:
    client = EngineClient(*address)
    yield client
    client.close()
