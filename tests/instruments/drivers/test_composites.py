"""ErbiumMemory and Cryostat over real drivers and their emulators."""

from __future__ import annotations

import pytest
from qcodes.instrument_drivers.Lakeshore import LakeshoreModel336
from qcodes.instrument_drivers.rohde_schwarz import RohdeSchwarzSGS100A

from erbia.instruments.drivers.composites import Cryostat, ErbiumMemory
from erbia.instruments.drivers.ni_analog_output import NiAnalogOutput
from erbia.instruments.drivers.santec_tsl import SantecTsl
from erbia.instruments.emulators.lakeshore336 import LakeShore336Device
from erbia.instruments.emulators.nidaqmx_server import NiDaqServer
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.emulators.santec import SantecDevice
from erbia.instruments.emulators.sgs100a import Sgs100aDevice
from erbia.instruments.emulators.tcp import TcpHost
from erbia.instruments.errors import ConfigError
from erbia.instruments.interfaces import QuantumMemory, TemperatureController

CALIBRATION = {"zero_field_hz": 194.95e12, "stark_hz_per_v": 1e6, "zeeman_hz_per_t": 5e9}


def test_the_chip_over_five_instruments() -> None:
    bench = Bench({"cryostat.temperature_k": 0.6, "cryostat.setpoint_k": 0.5})
    with (
        NiDaqServer(bench) as daq,
        TcpHost(LakeShore336Device(bench, "cryostat")) as lake,
        TcpHost(Sgs100aDevice(bench, "microwave")) as generator,
        TcpHost(SantecDevice(bench, "laser")) as light,
    ):
        parts = [  # QCoDeS itself remembers instruments only weakly
            NiAnalogOutput("electrode", daq.endpoint, channel="Dev1/ao0", slew_rate_v_per_s=1e4),
            NiAnalogOutput("magnet", daq.endpoint, channel="Dev1/ao1", slew_rate_v_per_s=1e4),
            LakeshoreModel336("lakeshore", lake.visa_address, visalib="@py", device_clear=False),
            RohdeSchwarzSGS100A("microwave", generator.visa_address, visalib="@py", device_clear=False),
            SantecTsl("laser", light.visa_address, visalib="@py"),
        ]
        cryostat = Cryostat("cryostat", temperature="lakeshore.A.temperature", setpoint="lakeshore.output_1.setpoint")
        memory = ErbiumMemory(
            "memory",
            electrode="electrode.voltage",
            magnet="magnet.voltage",
            tesla_per_unit=0.1,
            temperature="cryostat.temperature",
            laser="laser.frequency",
            spin_drive="microwave.frequency",
            calibration=CALIBRATION,
            limits_v=(-5, 5),
        )
        assert isinstance(memory, QuantumMemory)
        assert isinstance(cryostat, TemperatureController)
        memory.electrode_voltage(2.0)
        memory.magnetic_field(0.05)
        assert bench.get("Dev1/ao0") == 2.0
        assert bench.get("Dev1/ao1") == pytest.approx(0.5)
        assert memory.magnetic_field.get() == pytest.approx(0.05)
        assert memory.temperature() == pytest.approx(0.6)
        assert memory.resonance_frequency() == pytest.approx(194.95e12 + 2e6 + 0.25e9)
        memory.detuning(-3e6)
        assert bench.get("laser.frequency_hz") == pytest.approx(194.95e12 + 2e6 + 0.25e9 - 3e6, abs=1e5)
        assert memory.detuning.get() == pytest.approx(-3e6, abs=1e5)
        memory.spin_frequency(2.5e9)
        assert memory.spin_frequency.get() == 2.5e9
        cryostat.setpoint(0.7)
        assert cryostat.setpoint.get() == pytest.approx(0.7)
        with pytest.raises(ValueError, match="must be between"):
            memory.electrode_voltage(6.0)
        with pytest.raises(NotImplementedError, match="no set cmd"):
            memory.temperature(1.0)
        assert len(parts) == 5


def test_wrong_names_are_said() -> None:
    with pytest.raises(ConfigError, match="no instrument 'nothing' is loaded before it"):
        Cryostat("c", temperature="nothing.temperature", setpoint="nothing.setpoint")
    with pytest.raises(ConfigError, match="calibration needs exactly"):
        ErbiumMemory("m", electrode="a.b", magnet="a.b", temperature="a.b", calibration={})
