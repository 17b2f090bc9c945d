"""A station's emulators, all at once, where its file says."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from qcodes.instrument import Instrument
from ruamel.yaml import YAML

from erbia.instruments.emulators.ports import Bench
from erbia.instruments.emulators.serial_port import has_pseudo_terminals
from erbia.instruments.emulators.serve import STARTERS, serve
from erbia.instruments.errors import ConfigError
from erbia.instruments.station import load

DRIVERS = "erbia.instruments.drivers"


def _free_ports(n: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def _station(tmp_path: Path) -> dict[str, Any]:
    ports = iter(_free_ports(12))
    visa = lambda: f"TCPIP::127.0.0.1::{next(ports)}::SOCKET"  # noqa: E731
    daq, frame = f"127.0.0.1:{next(ports)}", visa()
    py = {"visalib": "@py"}
    entries: dict[str, Any] = {
        "laser": {"type": f"{DRIVERS}.santec_tsl.SantecTsl", "address": visa(), "init": py},
        "voa": {"type": f"{DRIVERS}.keysight_816x.KeysightAttenuator", "address": frame, "init": {**py, "slot": 2}},
        "switch": {"type": f"{DRIVERS}.keysight_816x.KeysightSwitch", "address": frame, "init": {**py, "slot": 3}},
        "meter": {"type": f"{DRIVERS}.thorlabs_pm100d.ThorlabsPm100d", "address": visa(), "init": py},
        "snspd": {
            "type": f"{DRIVERS}.single_quantum.SingleQuantumWebSq",
            "address": f"127.0.0.1:{next(ports)}",
            "init": {"counts_port": next(ports)},
        },
        "electrode": {"type": f"{DRIVERS}.ni_analog_output.NiAnalogOutput", "address": daq},
        "counter": {"type": f"{DRIVERS}.ni_counter.NiEdgeCounter", "address": daq},
        "lakeshore": {
            "type": "qcodes.instrument_drivers.Lakeshore.LakeshoreModel336",
            "address": visa(),
            "init": {**py, "device_clear": False},
        },
        "cryostat": {
            "type": f"{DRIVERS}.composites.Cryostat",
            "init": {"temperature": "lakeshore.A.temperature", "setpoint": "lakeshore.output_1.setpoint"},
        },
    }
    if has_pseudo_terminals():
        entries["rubidium"] = {
            "type": f"{DRIVERS}.srs_fs725.SrsFs725", "address": f"ASRL{tmp_path / 'rb'}::INSTR", "init": py,
        }  # fmt: skip
    return entries


def _bench() -> Bench:
    bench = Bench({f"snspd.ch{k}.latched": False for k in range(1, 5)})
    bench.values |= {"meter.power_w": 1e-6, "lakeshore.temperature_k": 0.6, "lakeshore.setpoint_k": 0.5}
    bench.values |= {"rubidium.locked": True, "rubidium.pps_locked": True}
    bench.signals["Dev1/ctr0"] = lambda t_s: 1e3 * t_s
    return bench


def test_a_station_file_finds_all_its_instruments_on_the_wire(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entries, bench = _station(tmp_path), _bench()
    path = tmp_path / "wire.yaml"
    with path.open("w") as file:
        YAML().dump({"instruments": entries}, file)
    start = time.process_time()
    with serve(entries, bench) as emulators:
        assert time.process_time() - start < 1.0
        assert emulators.real == ("cryostat",)
        assert emulators.hosts["electrode"] is emulators.hosts["counter"]
        assert emulators.hosts["voa"] is emulators.hosts["switch"]
        lab = load(path)
        assert capsys.readouterr().out == ""  # what drivers print when they connect is no result
        lab.station.laser.power(2e-3)
        lab.station.electrode.voltage(0.5)
        assert (bench.get("laser.power_w"), bench.get("Dev1/ao0")) == (pytest.approx(2e-3), 0.5)
        assert lab.station.cryostat.temperature() == pytest.approx(0.6)
        if "rubidium" in entries:
            assert lab.station.rubidium.locked() is True
        lab.close()
    Instrument.close_all()
    assert not os.path.lexists(tmp_path / "rb")


def test_real_addresses_are_left_alone() -> None:
    entries = {"laser": {"type": f"{DRIVERS}.santec_tsl.SantecTsl", "address": "TCPIP::10.0.0.5::5000::SOCKET"}}
    with serve(entries, Bench()) as emulators:
        assert emulators.real == ("laser",)
        assert emulators.hosts == {}


def test_a_port_in_use_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"TCPIP::127.0.0.1::{taken.getsockname()[1]}::SOCKET"
        with pytest.raises(ConfigError, match="laser: cannot emulate SantecTsl"):
            serve({"laser": {"type": f"{DRIVERS}.santec_tsl.SantecTsl", "address": address}}, Bench())


def test_every_driver_with_an_address_has_an_emulator() -> None:
    folder = Path(__file__).resolve().parents[3] / "instruments" / "drivers"
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    assert [name for name in STARTERS if f"class {name}(" not in text] == ["LakeshoreModel336", "RohdeSchwarzSGS100A"]
