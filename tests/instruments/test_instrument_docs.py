"""The pages on instruments are true: every driver has one, its station snippet loads, "write a driver" works as printed."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from qcodes.instrument import Instrument
from ruamel.yaml import YAML

from erbia.instruments.interfaces import Attenuator
from erbia.instruments.station import load
from erbia.instruments.station_file import InstrumentSection

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted((DOCS / "instruments").glob("*.md"))
GUIDE = DOCS / "write-a-driver.md"
DRIVERS = DOCS.parent / "instruments" / "drivers"
#: Modules that are no driver of their own but parts of others.
PARTS = {
    "__init__", "bias_box", "link", "ni_daq", "ni_tasks", "periods", "ramps", "replies", "robust_visa", "serial_port", "t2",
    "tag_merge", "tcp",
}  # fmt: skip


def _blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def _sections(path: Path) -> dict[str, InstrumentSection]:
    (text,) = _blocks(path, "yaml") or ["instruments: {}"]
    return {name: InstrumentSection(**plain) for name, plain in YAML(typ="safe").load(text)["instruments"].items()}


def test_every_driver_has_a_page() -> None:
    named = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    missing = [
        path.stem for path in DRIVERS.glob("*.py") if path.stem not in PARTS and f".drivers.{path.stem}." not in named
    ]
    assert missing == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "README.md"], ids=lambda page: page.stem)
def test_a_page_says_how_to_wire_it_and_what_is_verified(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "## Wiring" in text
    assert "Nothing on hardware yet" in text


SECTIONS = {f"{page.stem}: {name}": section for page in PAGES for name, section in _sections(page).items()}
#: Packages of vendors and contributors that need not be here.
OPTIONAL = {"zurich_instruments": "zhinst.qcodes", "qcodes_contrib_drivers": "qcodes_contrib_drivers"}


@pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS)
def test_the_class_of_a_snippet_can_be_imported_and_takes_what_is_written(section: InstrumentSection) -> None:
    for part, package in OPTIONAL.items():
        if part in section.type:
            pytest.importorskip(package)
    module, _, name = section.type.rpartition(".")
    try:
        cls: Any = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if str(error.name).startswith(("erbia", "qcodes")):
            raise
        pytest.skip(f"{error.name} is not installed")
    if section.type.startswith("erbia"):
        parameters = inspect.signature(cls.__init__).parameters
        unknown = [key for key in section.init if key not in parameters and key != "visalib"]
        assert unknown == []
        assert section.address is None or {"address", "library", "serial"} & set(parameters)


def test_the_guide_is_short() -> None:
    assert len(GUIDE.read_text(encoding="utf-8").splitlines()) < 80


def test_the_guide_works_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for block in _blocks(GUIDE, "python"):
        name = re.match(r"# (\w+\.py)\n", block)
        assert name is not None
        (tmp_path / name[1]).write_text(block, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_voa.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout

    monkeypatch.syspath_prepend(str(tmp_path))  # for the emulator; the station looks for drivers beside its file
    from erbia.instruments.emulators.ports import Bench
    from erbia.instruments.emulators.tcp import TcpHost

    device = import_module("my_voa_emulator").MyVoaDevice(
        Bench({"voa.attenuation_db": 10.0, "voa.shutter_open": True}), "voa"
    )
    with TcpHost(device) as host:
        (yaml,) = _blocks(GUIDE, "yaml")
        station = tmp_path / "station.yaml"
        station.write_text(yaml.replace("127.0.0.1::5025", f"127.0.0.1::{host.port}"), encoding="utf-8")
        lab = load(station)
        assert isinstance(lab.station.voa, Attenuator)
        assert (lab.station.voa.attenuation.get(), lab.station.voa.shutter_open.get()) == (10.0, True)
        with pytest.raises(ValueError, match="must be between 3"):
            lab.station.voa.attenuation(1)
        lab.close()
    Instrument.close_all()
