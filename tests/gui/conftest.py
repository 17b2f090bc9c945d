"""A window on a real engine service, in one process, over a bench whose experiment makes seeded clicks."""

from __future__ import annotations

import gc
import os

os.environ["QT_QPA_PLATFORM"] = os.environ.get("ERBIA_TEST_PLATFORM", "offscreen")

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict, Field
from PySide6.QtCore import QSettings
from qcodes.instrument import Instrument
from qcodes.station import Station
from qcodes.validators import Bool, Enum, Numbers

from erbia.analysis.records import CorrelationHistogram, Estimate, TagBlock, TimeTags
from erbia.gui.main_window import MainWindow
from erbia.sequences.control import RunControl
from erbia.sequences.documents import Document, Progress, Result, RunStart, RunStop, SettingStart, Tags
from erbia.sequences.engine.archive import Archive
from erbia.sequences.engine.client import EngineClient
from erbia.sequences.engine.service import Service, serving
from erbia.sequences.engine.spool import Spool
from erbia.sequences.engine.supervisor import Supervisor
from erbia.sequences.experiments.base import Plan, Setting
from erbia.sequences.pulses import Pulse
from erbia.sequences.sequence import Block, Sequence

BLOCK_PS = 10_000_000_000


class Timing(BaseModel):
    model_config = ConfigDict(extra="forbid")
    window_s: float = Field(8e-6, gt=0, le=1e-3, description="detection window", json_schema_extra={"unit": "s"})


class BenchConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")
    blocks: int = Field(40, ge=1, le=10**6, description="blocks to record")
    precision: float | None = Field(None, gt=0, lt=1, description="stop when this precise")
    bases: tuple[str, ...] = Field(("XX", "ZZ"), description="read-out axes")
    mode: Literal["fast", "slow"] = "fast"
    shuffle: bool = False
    timing: Timing = Field(default_factory=Timing)


class Recipe:
    """What the engine asks of an experiment."""

    def __init__(self, config: BaseModel) -> None:
        self.config = config

    def on(self, nodes: dict[str, Any]) -> Recipe:
        return self

    def build(self) -> Plan:
        pulses = (Pulse("excitation", 1_000, 20_000), Pulse("gate", 50_000, 100_000, amplitude=0.5))
        sequence = Sequence("blink", Block(1_000), Block(200_000, pulses), repetitions=7)
        return Plan((Setting("dark", None), Setting("XX", sequence)), ("midpoint",))


class Bench(Recipe):
    """Two correlated detectors."""

    name = "bench"
    title = "Correlated clicks"
    Config = BenchConfig


class Other(Recipe):
    """Another experiment to choose."""

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        shots: int = Field(3, ge=1)

    name = "other"
    title = "Something else"


class BenchLab:
    """The parts of a lab the engine uses."""

    simulated = True
    nodes: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        laser = Instrument("laser")
        laser.add_parameter("power", unit="W", vals=Numbers(0, 0.01), set_cmd=None, get_cmd=None, initial_value=0.001)
        laser.add_parameter("emission", vals=Bool(), set_cmd=None, get_cmd=None, initial_value=True)
        laser.add_parameter("mode", vals=Enum("cw", "pulsed"), set_cmd=None, get_cmd=None, initial_value="cw")
        cryostat = Instrument("cryostat")
        cryostat.add_parameter("temperature", unit="K", get_cmd=lambda: 0.5, set_cmd=False)
        self.laser = laser
        self.station = Station(default=False)
        for instrument in (laser, cryostat):
            self.station.add_component(instrument, update_snapshot=False)
        self.loaded = SimpleNamespace(held={}, path=Path("bench_lab.yaml"), file=SimpleNamespace(calibrations={}))

    def hold(self, parameter: str, value: Any) -> None:
        raise NotImplementedError

    def budget(self, experiment: Any, out_dir: Path) -> list[dict[str, Any]]:
        return [{"name": "run time", "value": 1.0, "unit": "s", "allowed": "", "verdict": "ok", "reason": ""}]

    def make_safe(self) -> None:
        self.laser.parameters["emission"].set(False)

    def close(self) -> None:
        self.station.close_all_registered_instruments()

    def run(
        self,
        experiment: str,
        *,
        out_dir: Path,
        subscribers: tuple[Callable[[Document], None], ...],
        control: RunControl,
        operator: str = "",
        **config: Any,
    ) -> None:
        def tell(document: Document) -> None:
            for subscriber in subscribers:
                subscriber(document)

        rng = np.random.default_rng(5)
        lag_ps = np.arange(-20_000, 20_000, 100, dtype=np.int64)
        counts = np.zeros(len(lag_ps), np.int64)
        blocks = config.get("blocks", 3)
        tell(RunStart("r1", experiment, str(out_dir / "r1.h5"), True, config, ("midpoint",), "2026-01-01T00:00:00Z"))
        tell(SettingStart(0, "XX", 0))
        status = "done"
        for k in range(blocks):
            control.wait_while_paused()
            if control.stop_asked():
                status = "aborted"
                break
            start = k * BLOCK_PS
            n = int(rng.poisson(100))
            times = start + np.sort(rng.integers(0, BLOCK_PS, n))
            tags = TimeTags(times, np.ones(n, np.uint8))
            rates = {"detector_a": n / 0.01, "detector_b": float(rng.poisson(90)) / 0.01, "herald": 0.0}
            tell(Tags(TagBlock(tags, start, start + BLOCK_PS, "midpoint"), rates))
            counts = counts + rng.poisson(1 + 20 * np.exp(-((lag_ps / 800) ** 2)))
            spread = 0.5 / np.sqrt(k + 1)
            fidelity = Estimate(0.9, 0.9 - spread, min(1.0, 0.9 + spread), 0.95, spread / 2, k + 1, "bench")
            delay = Estimate(3.0, 2.0, 4.5, 0.95, 0.5, k + 1, "bench", "ps")
            histogram = CorrelationHistogram(lag_ps, counts, 100, n, n, BLOCK_PS)
            outcomes = {"XX": {"++": k, "+-": 1, "-+": 2, "--": k}, "heralds": {"XX": 2 * k + 3}}
            tell(Progress((k + 1) / blocks, 0.01 * (k + 1), 0.01 * (blocks - k - 1), f"{k + 1} of {blocks} blocks"))
            tell(Result({"fidelity": fidelity, "delay_ps": delay}, {"arrival": histogram}, counts=outcomes))
            time.sleep(0.005)
        tell(RunStop(status, "" if status == "done" else f"stopped ({control.stop_asked()})"))


@pytest.fixture(autouse=True)
def garbage_of_the_window_thread() -> Iterator[None]:
    """Windows are collected here, in the thread that made them, whatever other threads an earlier test left running."""
    gc.disable()
    yield
    gc.collect()
    gc.enable()


@pytest.fixture(autouse=True)
def _own_presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("erbia.sequences.presets.own_folder", lambda: tmp_path / "presets")


@pytest.fixture
def lab() -> BenchLab:
    return BenchLab()


@pytest.fixture
def engine(lab: BenchLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineClient]:
    """A client of a running service; the window connects to the same one."""
    spool = Spool(tmp_path / "documents.jsonl")
    supervisor = Supervisor(lab, "bench_lab", 1, {"bench": Bench, "other": Other}, spool, tmp_path)  # type: ignore[arg-type, dict-item]
    with serving(Service(supervisor, spool, Archive(tmp_path))) as address:
        monkeypatch.setattr(EngineClient, "connect", classmethod(lambda cls, station: EngineClient(*address)))
        client = EngineClient(*address)
        yield client
        client.close()
    supervisor.close()
    spool.close()


@pytest.fixture
def window(qtbot: Any, engine: EngineClient, tmp_path: Path) -> MainWindow:
    """The window, shown and connected."""
    settings = QSettings(str(tmp_path / "gui.ini"), QSettings.Format.IniFormat)
    settings.setValue("guided", True)
    window = MainWindow(["bench_lab"], settings)
    qtbot.addWidget(window)
    window.open("bench_lab", None)
    window.show()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: window.panels.experiment.form is not None and window.run_action.isEnabled(), timeout=5000)
    return window
