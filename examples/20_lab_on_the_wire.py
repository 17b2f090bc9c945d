"""A whole lab on the wire: emulators in one process, the run with the real drivers in another (this one)."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

# `--at` and `--copy` give the lab addresses of its own, so that several can be emulated side by side.
command = ["emulate", "wire_lab", "--at", f"127.77.{os.getpid() % 250 + 1}", "--copy", "my_lab.yaml"]
emulators = subprocess.Popen([sys.executable, "-m", "erbia", *command, "--endpoints", "endpoints.json"])
try:
    from erbia import load_station  # takes its time, too, while the emulators start

    while not Path("endpoints.json").exists():
        time.sleep(0.05)
    table = json.loads(Path("endpoints.json").read_text())
    print(f"{len(table['endpoints'])} instruments, emulators ready after {table['started_in_s']} s")

    with load_station("my_lab.yaml") as lab:
        print(
            lab.station.laser.get_idn()["model"],
            lab.station.tagger.get_idn()["model"],
            lab.station.pulser.get_idn()["model"],
        )
        run = lab.run("clock_sync", duration_s=0.5, max_offset_s=4.0)
    print(run.results["clock_offset_ps"], "SIMULATED" if run.simulated else "")
finally:
    emulators.terminate()
    emulators.wait()
