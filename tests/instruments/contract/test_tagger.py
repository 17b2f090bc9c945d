"""What every TimeTagger does."""

from __future__ import annotations

import itertools
import socket
import time
from typing import Any

import numpy as np
import pytest

from erbia.instruments import mock
from erbia.instruments.drivers.replay_tagger import ReplayTagger
from erbia.instruments.drivers.swabian_time_tagger import SwabianTimeTagger
from erbia.instruments.emulators import swabian_api
from erbia.instruments.interfaces import TimeTagger


def _swabian(at: Any) -> Any:
    swabian_api.plug(at.bench, "tagger", "C1")
    at.stack.callback(swabian_api.unplug, "C1")
    return SwabianTimeTagger("tagger", "C1", module="erbia.instruments.emulators.swabian_api")


def _id900(at: Any) -> Any:
    pytest.importorskip("zmq")
    from erbia.instruments.drivers.id900 import IdqTimeController
    from erbia.instruments.emulators.id900 import Id900Device, Id900Host

    host = at.stack.enter_context(Id900Host(Id900Device(at.bench, "tagger")))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return IdqTimeController("tagger", host.endpoint, datalink=host.datalink, channels=(1,), stream_ports=(port,))


def _multiharp(at: Any) -> Any:
    from erbia.instruments.drivers.picoquant_multiharp import PicoquantMultiHarp

    return PicoquantMultiHarp("tagger", at.compiled("fake_mhlib.c"))


def _hydraharp(at: Any) -> Any:
    from erbia.instruments.drivers.picoquant_hydraharp import PicoquantHydraHarp

    return PicoquantHydraHarp("tagger", at.compiled("fake_hhlib.c"))


def _replay(at: Any) -> Any:
    file = at.folder() / "tags.npy"
    np.save(file, np.arange(0, 2 * 10**12, 10**8, dtype=np.int64))
    return ReplayTagger("tagger", str(file), pace=1.0)


RIGS = {
    "mock": lambda at: mock.MockTimeTagger("tagger", at.world),
    "swabian": _swabian,
    "id900": _id900,
    "multiharp": _multiharp,
    "hydraharp": _hydraharp,
    "replay": _replay,
}


def test_tagger(instrument: Any) -> None:
    tagger = instrument
    assert isinstance(tagger, TimeTagger)
    tagger.start()
    started_s = time.monotonic()
    blocks = []
    while len(blocks) < 5 and not (isinstance(tagger, ReplayTagger) and tagger.finished.get()):
        asked_s = time.monotonic()
        blocks.append(tagger.read(5.0))
        if not isinstance(tagger, mock.MockTimeTagger | ReplayTagger):  # those have a time of their own
            # What was clicked before the call is in the block.
            assert blocks[-1].t_stop_ps > (asked_s - started_s - 0.001) * 1e12
        time.sleep(0.01)
    tagger.stop()
    assert all(a.t_stop_ps == b.t_start_ps for a, b in itertools.pairwise(blocks))
    for block in blocks:
        assert block.t_stop_ps >= block.t_start_ps
        assert not block.overflow
        assert np.all((block.tags.t_ps >= block.t_start_ps) & (block.tags.t_ps < block.t_stop_ps))
        assert np.all(np.diff(block.tags.t_ps) >= 0)
