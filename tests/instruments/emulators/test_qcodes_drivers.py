"""QCoDeS's own drivers against our emulators: as they come, and unmodified over our connection."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest
from pyvisa import VisaIOError
from qcodes.instrument import Instrument
from qcodes.instrument_drivers.Lakeshore import LakeshoreModel336
from qcodes.instrument_drivers.rohde_schwarz import RohdeSchwarzSGS100A

from erbia.instruments.drivers.robust_qcodes import RobustLakeshore336, RobustSgs100a
from erbia.instruments.emulators.lakeshore336 import LakeShore336Device
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.emulators.sgs100a import Sgs100aDevice
from erbia.instruments.emulators.tcp import TcpHost
from erbia.instruments.emulators.wire import Fault
from erbia.instruments.errors import ConnectionLost


@pytest.fixture
def bench() -> Bench:
    return Bench({"cryostat.temperature_k": 3.1, "cryostat.setpoint_k": 3.0})


@pytest.fixture(autouse=True)
def _close_instruments() -> Iterator[None]:
    yield
    Instrument.close_all()


@pytest.mark.parametrize("driver", [LakeshoreModel336, RobustLakeshore336])
def test_lake_shore_336(bench: Bench, driver: type[LakeshoreModel336]) -> None:
    with TcpHost(LakeShore336Device(bench, "cryostat")) as host:
        cryostat = driver("cryostat", host.visa_address, visalib="@py", device_clear=False)
        assert cryostat.get_idn()["model"] == "336"
        assert cryostat.A.temperature() == pytest.approx(3.1)
        bench.set("cryostat.temperature_k", 4.2)
        assert cryostat.A.temperature() == pytest.approx(4.2)
        cryostat.output_1.setpoint(3.5)
        assert cryostat.output_1.setpoint.get() == 3.5
        assert bench.get("cryostat.setpoint_k") == 3.5
        cryostat.output_1.P(42)
        assert cryostat.output_1.P.get() == 42
        assert cryostat.A.t_limit.get() == 0
        values = cryostat.snapshot(update=True)
        assert values["submodules"]["A"]["parameters"]["temperature"]["value"] == pytest.approx(4.2)


@pytest.mark.parametrize("driver", [RohdeSchwarzSGS100A, RobustSgs100a])
def test_sgs100a(bench: Bench, driver: type[RohdeSchwarzSGS100A]) -> None:
    with TcpHost(Sgs100aDevice(bench, "microwave")) as host:
        source = driver("microwave", host.visa_address, visalib="@py", device_clear=False)
        source.frequency(7.1e9)
        source.power(-10)
        source.on()
        for _ in range(2):
            source.ask("*OPC?")  # this driver does not confirm; the first answer comes when what was sent before is set
        assert bench.get("microwave.frequency_hz") == 7.1e9
        assert bench.get("microwave.power_dbm") == -10
        assert bench.get("microwave.emission") is True
        source.off()
        source.get_idn()
        assert bench.get("microwave.emission") is False
        source.snapshot(update=True)


def test_what_our_connection_adds_to_them(bench: Bench) -> None:
    with TcpHost(LakeShore336Device(bench, "cryostat")) as host:
        as_it_comes = LakeshoreModel336("plain", host.visa_address, visalib="@py", device_clear=False, timeout=0.3)
        robust = RobustLakeshore336("robust", host.visa_address, visalib="@py", timeout=0.3)
        host.device.faults.late_s = 0.6
        for driver in (as_it_comes, robust):
            host.device.faults.inject(Fault.LATE)
            with pytest.raises((VisaIOError, ConnectionLost)):
                driver.ask("KRDG? A")
        time.sleep(1.0)  # the late answers are there by now
        bench.set("cryostat.temperature_k", 9.0)
        assert float(robust.ask("KRDG? A")) == 9.0
        assert float(as_it_comes.ask("KRDG? A")) == 3.1, "the answer to an older question"
        host.drop_clients()
        time.sleep(0.2)
        assert float(robust.ask("KRDG? A")) == 9.0
        with contextlib.suppress(VisaIOError, OSError):
            as_it_comes.ask("KRDG? A")  # the answer to the question before this one may still be there to be read
        for _ in range(3):
            with pytest.raises((VisaIOError, OSError)):
                as_it_comes.ask("KRDG? A")
