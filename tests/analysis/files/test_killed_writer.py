"""A writer killed by SIGKILL at a random moment: the file opens, and every acknowledged row is there and right."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from erbia.analysis.files.runfile import open_run
from erbia.analysis.records import Estimate

SCRIPT = Path(__file__).with_name("killed_writer.py")
_spec = importlib.util.spec_from_file_location("killed_writer", SCRIPT)
killed_writer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(killed_writer)


pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="needs fork and SIGKILL")]


@contextmanager
def writers():
    """Starts writers as processes of their own: ``start(path, seed)`` gives the process id."""
    with subprocess.Popen([sys.executable, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:

        def start(path, seed, kind="plain"):
            parent.stdin.write(f"{kind} {path} {seed}\n".encode())
            parent.stdin.flush()
            return int(parent.stdout.readline())

        yield start
        parent.stdin.close()


@pytest.fixture(scope="module")
def start():
    with writers() as start:
        yield start


def acknowledged(path):
    """The last number that was printed whole."""
    output = Path(f"{path}.out")
    lines = output.read_text().split("\n") if output.exists() else []
    return int(lines[-2]) if len(lines) > 1 else 0


def wait_until_gone(pid):
    try:
        process = psutil.Process(pid)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.002)
    except psutil.NoSuchProcess:
        pass


def kill_after_first_word(path, pid, delay_s):
    """Lets the writer live ``delay_s`` after its first acknowledgement, kills it; blocks acknowledged."""
    deadline = time.monotonic() + 60
    while not acknowledged(path) and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(delay_s)
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    return acknowledged(path)


def assert_whole(run, seed, at_least):
    blocks = list(run.iter_blocks("tagger"))
    assert len(blocks) >= at_least
    for k, found in enumerate(blocks):
        expected = killed_writer.block(seed, k)
        assert (found.t_start_ps, found.t_stop_ps) == (expected.t_start_ps, expected.t_stop_ps)
        assert np.array_equal(found.tags.t_ps, expected.tags.t_ps)
        assert np.array_equal(found.tags.channel, expected.tags.channel)
    assert len(run.log()) == len(blocks)
    heralds = run.heralds()
    for k in range(len(blocks)):
        expected = killed_writer.heralds(seed, k)
        assert np.array_equal(heralds[: len(expected)], expected)
        heralds = heralds[len(expected) :]
    assert len(heralds) == 0


@pytest.mark.parametrize("tenth", range(5))
def test_killed_ten_times(tmp_path, start, tenth):
    rng = np.random.default_rng(tenth)
    for k in range(10):
        path, seed = tmp_path / f"run{k}.h5", 100 * tenth + k
        n = kill_after_first_word(path, start(path, seed), float(rng.uniform(0.0, 0.25)))
        with open_run(path) as run:
            assert run.status == "interrupted"
            assert_whole(run, seed, n)
            run.write_results({"x": Estimate(1.0, 0.0, 2.0, 0.95, 0.5, 3, "m")})
            assert run.status == "interrupted"
            assert run.results["x"].value == 1.0
            assert_whole(run, seed, n)
        for leftover in tmp_path.glob(f"*run{k}.h5*"):
            leftover.unlink()


def assert_pipeline_whole(run, at_least):
    clicks = 0
    for k, found in enumerate(run.iter_blocks("tagger")):
        expected = killed_writer.fast_block(k)
        assert np.array_equal(found.tags.t_ps, expected.tags.t_ps)
        assert np.array_equal(found.tags.channel, expected.tags.channel)
        clicks += len(found.tags)
    assert clicks >= at_least
    return clicks


@pytest.mark.parametrize("tenth", range(5))
def test_pipeline_killed_ten_times(tmp_path, start, tenth):
    rng = np.random.default_rng(100 + tenth)
    for k in range(10):
        path, seed = tmp_path / f"run{k}.h5", 10 * tenth + k
        n = kill_after_first_word(path, start(path, seed, "pipeline"), float(rng.uniform(0.0, 0.25)))
        with open_run(path) as run:
            assert run.status == "interrupted"
            assert_pipeline_whole(run, n)
        for leftover in tmp_path.glob(f"*run{k}.h5*"):
            leftover.unlink()


@contextmanager
def small_disk_in(parent):
    """A tmpfs of 64 MB; needs root."""
    folder = parent / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("cannot mount a tmpfs here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path):
    with small_disk_in(tmp_path) as folder:
        yield folder


def fill_disk(small_disk, start):
    """Lets the pipeline fill a disk and looks at what is left; clicks acknowledged and kept, and the last words."""
    path = small_disk / "run.h5"
    pid = start(path, 0, "pipeline")
    deadline = time.monotonic() + 60
    while "DiskFull" not in Path(f"{path}.out").read_text() if Path(f"{path}.out").exists() else True:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    wait_until_gone(pid)
    *numbers, message = Path(f"{path}.out").read_text().splitlines()
    assert "must stay free" in message
    assert "run.h5 stops here" in message
    with open_run(path) as run:
        assert run.status == "failed"
        kept = assert_pipeline_whole(run, int(numbers[-1]))
    assert path.stat().st_size > 30e6
    return int(numbers[-1]), kept, message


def test_full_disk(small_disk, start):
    """The pipeline stops by itself with one clear line, and every acknowledged click is there."""
    fill_disk(small_disk, start)


def test_another_process_follows(tmp_path, start):
    """A reader beside a busy writer always sees a whole, growing run."""
    path, seen = tmp_path / "run.h5", 0
    pid = start(path, 5)
    try:
        while not acknowledged(path):
            time.sleep(0.01)
        with open_run(path) as run:
            stop = time.monotonic() + 3
            while time.monotonic() < stop:
                assert run.status == "running"
                assert_whole(run, 5, seen)
                seen = len(run.blocks("tagger"))
                run.refresh()
        assert seen > 10
    finally:
        os.kill(pid, signal.SIGKILL)
