"""Latency of the drivers on loopback, through the vendors' own clients, beside a bare socket on the same machine; and how
soon all emulators of a station answer.

Run: python benchmarks/instruments.py
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from erbia.cli_emulate import moved
from erbia.instruments.drivers.ni_analog_output import NiAnalogOutput
from erbia.instruments.drivers.ni_counter import NiEdgeCounter
from erbia.instruments.drivers.santec_tsl import SantecTsl
from erbia.instruments.drivers.single_quantum import SingleQuantumWebSq
from erbia.instruments.emulators.dlcpro import DlcProDevice, DlcProHost
from erbia.instruments.emulators.lab import EmulatedLab
from erbia.instruments.emulators.nidaqmx_server import NiDaqServer
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.emulators.santec import SantecDevice
from erbia.instruments.emulators.tcp import TcpHost
from erbia.instruments.emulators.websq import WebSqDevice, WebSqHost
from erbia.instruments.mock import load_world
from erbia.instruments.station_file import find_station, read_station, station_text

N = 500


def measure(call: Callable[[], object]) -> tuple[float, float]:
    """Median and 99th percentile in s."""
    for _ in range(20):
        call()
    times = []
    for _ in range(N):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times), sorted(times)[int(0.99 * N)]


def bare_socket() -> Callable[[], object]:
    """One question and answer between two threads over TCP, nothing else."""
    server = socket.create_server(("127.0.0.1", 0))

    def echo() -> None:
        connection, _ = server.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := connection.recv(100):
            connection.sendall(data)

    threading.Thread(target=echo, daemon=True).start()
    client = socket.create_connection(server.getsockname())
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask() -> bytes:
        client.sendall(b"POW?\n")
        return client.recv(100)

    return ask


def emulators_start() -> tuple[int, float, float]:
    """Instruments of wire_lab that are emulated, and how long it takes until they are: median of wall and of processor, in s.

    The simulated lab and the imports are there before, as in ``erbia emulate``, which prints the same figure.
    """
    address = f"127.{os.getpid() // 250 % 250 + 1}.{os.getpid() % 250 + 1}"
    wall, cpu = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lab.yaml"
        path.write_text(moved(station_text(find_station("wire_lab")), address), encoding="utf-8")
        file = read_station(path)
        for _ in range(5):
            world = load_world(file.twin.lab()) if file.twin else None
            start_s, start_cpu_s = time.perf_counter(), time.process_time()
            lab = EmulatedLab(file, world)
            wall.append(time.perf_counter() - start_s)
            cpu.append(time.process_time() - start_cpu_s)
            n = sum(row["is"] == "emulated" for row in lab.endpoints())
            lab.close()
    return n, statistics.median(wall), statistics.median(cpu)


def main() -> None:
    n, wall_s, cpu_s = emulators_start()
    verdict = "met" if wall_s < 1 else "MISSED"
    print(f"{n} emulators of wire_lab answer after {wall_s:.2f} s ({cpu_s:.2f} s processor)  < 1 s: {verdict}\n")
    bench = Bench({"snspd.ch1.latched": False}, signals={"Dev1/ctr0": lambda t_s: 1e4 * t_s})
    stack = contextlib.ExitStack()
    santec = stack.enter_context(TcpHost(SantecDevice(bench, "laser")))
    laser = SantecTsl("laser", santec.visa_address, visalib="@py")
    daq = stack.enter_context(NiDaqServer(bench))
    output = NiAnalogOutput("ao", daq.endpoint, slew_rate_v_per_s=1e6)
    counter = NiEdgeCounter("counter", daq.endpoint)
    websq = stack.enter_context(WebSqHost(WebSqDevice(bench, "snspd", n_channels=1)))
    snspd = SingleQuantumWebSq("snspd", websq.endpoint, bias_slew_a_per_s=1.0)
    rows: list[tuple[str, Callable[[], object], float | None]] = [
        ("bare socket", bare_socket(), None),
        ("SCPI get", laser.frequency.get, 150e-6),
        ("SCPI set, confirmed", lambda: laser.frequency.set(195e12), None),
        ("NI stream read (edge counter)", counter.counts.get, 1e-3),
        ("NI stream write (analog output)", lambda: output._write_level(1.0), 1e-3),
        ("NI voltage get, measured by the device", output.voltage.get, None),
        ("WebSQ bias get", snspd.ch1.bias.get, None),
    ]
    with contextlib.suppress(ImportError):
        from erbia.instruments.drivers.toptica_dlcpro import TopticaDlcPro

        dlc = stack.enter_context(DlcProHost(DlcProDevice(bench, "dlc")))
        rows.append(("DLC pro get", TopticaDlcPro("dlc", dlc.endpoint).piezo_voltage.get, 0.5e-3))
    with contextlib.suppress(ImportError):
        from erbia.instruments.drivers.pulse_streamer import SwabianPulseStreamer
        from erbia.instruments.emulators.pulse_streamer import PulseStreamerDevice, PulseStreamerHost

        pulser_host = stack.enter_context(PulseStreamerHost(PulseStreamerDevice(bench, "pulser"), "127.0.4.2"))
        with contextlib.redirect_stdout(io.StringIO()):
            pulser = SwabianPulseStreamer("pulser", pulser_host.endpoint, outputs={})
        rows.append(("Pulse Streamer get", pulser.running.get, None))
    with stack:
        print(f"{'':42s} median      p99   x bare  demand")
        bare_s = None
        for name, call, demand_s in rows:
            median_s, p99_s = measure(call)
            bare_s = bare_s or median_s
            verdict = (
                "" if demand_s is None else f"< {1e6 * demand_s:.0f} us: {'met' if median_s < demand_s else 'MISSED'}"
            )
            print(f"{name:42s}{1e6 * median_s:6.0f} us{1e6 * p99_s:6.0f} us{median_s / bare_s:8.1f}  {verdict}")


if __name__ == "__main__":
    main()
