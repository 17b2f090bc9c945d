"""A recorded run told again: the documents it would send today, and histograms made anew from its tags."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ...analysis.correlation import autocorrelate, correlate
from ...analysis.errors import UsageError
from ...analysis.files.runfile import Run
from ...analysis.records import PS_PER_S, CorrelationHistogram, TagBlock
from ..documents import Document, Progress, RunStart, RunStop, SettingStart, Tags
from ..replay import experiment_of, rounds
from .condense import Condenser, Message

#: How often results are worked out on the way: enough to see them sharpen.
_RESULTS = 40
#: The pace of thinning: a run is thinned as if it lasted this long.
_TOLD_IN_S = 20.0
_MAX_BINS = 1_000_000


def tell_again(run: Run) -> Iterator[Document]:
    """The documents of a run from its file, with results at some forty places on the way and at the end.

    Raises:
        DataError: the file is damaged or does not say how it was made.
    """
    experiment = experiment_of(run)
    sources = experiment.build().sources
    yield RunStart(
        run.run_id,
        run.experiment,
        str(run.path),
        run.simulated,
        experiment.config.model_dump(mode="json"),
        sources,
        run.created_utc,
    )
    names = {source: run.channels(source) for source in sources}
    settings = run.settings()
    total = max(1, len(run.blocks(sources[0])))
    every = max(1, total // _RESULTS)
    state, told, begin_ps, index = experiment.begin(), -1, None, 0
    for setting, block in rounds(run):
        if setting != told and setting < len(settings):
            told = setting
            yield SettingStart(setting, str(settings["name"][setting]), block.t_start_ps)
        state, _ = experiment.step(state, setting, block)
        yield Tags(block, rates_hz(block, names[block.source]))
        if block.source != sources[-1]:
            continue
        begin_ps = block.t_start_ps if begin_ps is None else begin_ps
        index += 1
        if index % every == 0 or index == total:
            spent_s = (block.t_stop_ps - begin_ps) / PS_PER_S
            yield Progress(index / total, spent_s, None, experiment.standing(state).message)
            yield experiment.result(state)
    yield RunStop(run.status, "")


def messages(run: Run, pace: float) -> Iterator[Message]:
    """The documents as messages, not faster than ``pace`` lab seconds a second (0: at once).

    However long the run, it takes some four hundred rows a channel to draw.
    """
    ready: list[Message] = []
    played = 0.0  # share of the run told so far

    def now_s() -> float:
        return _TOLD_IN_S * played

    condenser = Condenser(ready.append, now_s)
    blocks = run.blocks(run.sources[0])
    zero_ps, start_s = 0, time.monotonic()
    length_ps = max(1, int(blocks["t_stop_ps"][-1] - blocks["t_start_ps"][0])) if len(blocks) else 1
    for document in tell_again(run):
        if isinstance(document, Tags):
            zero_ps = zero_ps or document.block.t_start_ps
            spent_ps = document.block.t_start_ps - zero_ps
            played = max(played, spent_ps / length_ps)
            if pace > 0:
                time.sleep(max(0.0, spent_ps / PS_PER_S / pace - (time.monotonic() - start_s)))
        condenser(document)
        yield from ready
        ready.clear()
    condenser.flush()
    yield from ready


def rates_hz(block: TagBlock, channels: dict[int, str]) -> dict[str, float]:
    """Clicks a second of each channel by its name."""
    live_s = (block.t_stop_ps - block.t_start_ps) / PS_PER_S
    return {name: (len(block.tags.on(number)) / live_s if live_s > 0 else 0.0) for number, name in channels.items()}


def correlate_channels(
    run: Run, source: str, channel_a: str, channel_b: str, bin_ps: int, range_ps: int
) -> CorrelationHistogram:
    """Histogram of the delays from channel A to channel B of one source, ``range_ps`` to either side.

    Raises:
        UsageError: no such source or channel (says which there are), or more bins than can be drawn.
    """
    numbers = {name: number for number, name in run.channels(source).items()}
    for name in (channel_a, channel_b):
        if name not in numbers:
            raise UsageError(f"{source} has no channel {name!r}; it has {', '.join(numbers)}")
    if bin_ps < 1 or not 1 <= range_ps // bin_ps <= _MAX_BINS // 2:
        raise UsageError(f"bins of {bin_ps} ps over ±{range_ps} ps: allowed are 2 to {_MAX_BINS} bins of at least 1 ps")
    range_ps = range_ps // bin_ps * bin_ps
    tags, live_ps = run.tags(source), run.live_time_ps(source)
    a, b = tags.on(numbers[channel_a]), tags.on(numbers[channel_b])
    if channel_a == channel_b:
        return autocorrelate(a, bin_ps=bin_ps, range_ps=range_ps, live_time_ps=live_ps)
    return correlate(a, b, bin_ps=bin_ps, range_ps=range_ps, live_time_ps=live_ps)
