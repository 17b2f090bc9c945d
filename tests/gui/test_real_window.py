"""The same clicks in a real window: part of the tests again, on an X server without a screen. Skips where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

XVFB = shutil.which("Xvfb")
HERE = Path(__file__).parent
#: Real clicks on the tool bar, the form, the tree, a plot and the docks.
SUBSET = (
    "test_run_click_fills_every_panel or test_all_off or test_a_setting_within_limits or test_plots_are_really_painted "
    "or test_a_wrong_value_is_shown or test_bins_are_joined or test_filter"
)

pytestmark = pytest.mark.skipif(XVFB is None, reason="no Xvfb on this machine")


@pytest.fixture
def display() -> Iterator[str]:
    """A display of our own."""
    reading, writing = os.pipe()
    assert XVFB is not None
    server = subprocess.Popen(
        [XVFB, "-displayfd", str(writing), "-screen", "0", "1366x768x24", "-nolisten", "tcp"],
        pass_fds=(writing,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as answer:
        number = answer.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


@pytest.mark.slow
def test_the_clicks_work_in_a_real_window(display: str) -> None:
    environment = os.environ | {"DISPLAY": display, "ERBIA_TEST_PLATFORM": "xcb", "QT_QPA_PLATFORM": "xcb"}
    probe = [sys.executable, "-c", "from PySide6.QtWidgets import QApplication; QApplication([])"]
    if subprocess.run(probe, env=environment, capture_output=True, timeout=100, check=False).returncode:
        pytest.skip("Qt's xcb plugin cannot be loaded here: its libraries are missing")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(HERE / "test_main_window.py"),
        "-k",
        SUBSET,
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout or "." in done.stdout
