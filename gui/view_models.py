"""What the window draws, kept as plain arrays of bounded size: documents in, arrays out. No Qt, no physics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Int64Array = NDArray[np.int64]

RATE_POINTS = 2000
ESTIMATE_POINTS = 1000
#: Bins drawn a pixel: more cost time and show nothing.
_BINS_A_PIXEL = 1.5
FEWEST_DRAWN = 400
_S_PER_PS = 1e-12


class Ring:
    """The latest ``capacity`` rows of ``columns`` numbers; the cost of a row does not depend on how many there were."""

    def __init__(self, columns: int, capacity: int = RATE_POINTS) -> None:
        # Every row is written twice, half a buffer apart, so that the latest rows always lie in one piece.
        self._rows = np.full((2 * capacity, columns), np.nan)
        self._capacity = capacity
        self._count = 0

    def __len__(self) -> int:
        return min(self._count, self._capacity)

    def append(self, row: list[float]) -> None:
        """Adds one row; the oldest goes when the ring is full."""
        place = self._count % self._capacity
        self._rows[place] = self._rows[place + self._capacity] = row
        self._count += 1

    def rows(self) -> FloatArray:
        """float64 (len, columns), oldest first; a view, valid until the next append."""
        if self._count <= self._capacity:
            return self._rows[: self._count]
        place = self._count % self._capacity
        return self._rows[place : place + self._capacity]


class Thinned:
    """Rows of numbers over a whole run in bounded room: when full, every second row goes and the stride doubles."""

    def __init__(self, columns: int, capacity: int = ESTIMATE_POINTS) -> None:
        self._rows = np.empty((capacity, columns))
        self._length = 0
        self._stride = 1
        self._seen = 0
        self._latest: list[float] | None = None

    def append(self, row: list[float]) -> None:
        """Adds one row. The latest is always part of ``rows``."""
        self._latest = row
        if self._seen % self._stride == 0:
            if self._length == len(self._rows):
                kept = self._rows[::2].copy()
                self._length = len(kept)
                self._rows[: self._length] = kept
                self._stride *= 2
            if self._seen % self._stride == 0:
                self._rows[self._length] = row
                self._length += 1
                self._latest = None
        self._seen += 1

    def rows(self) -> FloatArray:
        """float64 (at most capacity + 1, columns), in order."""
        latest = np.array([] if self._latest is None else self._latest, np.float64).reshape(-1, self._rows.shape[1])
        rows: FloatArray = np.concatenate((self._rows[: self._length], latest))
        return rows


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Counts over lags: int64 (B,) left edges in ps, int64 (B,) counts, the width of a bin; float64 (B,) fitted counts."""

    lag_ps: Int64Array
    counts: Int64Array
    bin_ps: int
    expected: FloatArray | None = None

    def rebinned(self, factor: int) -> Histogram:
        """``factor`` bins joined into one; a last incomplete bin is left out."""
        whole = len(self.counts) // factor * factor
        counts = self.counts[:whole].reshape(-1, factor).sum(axis=1)
        expected = None if self.expected is None else self.expected[:whole].reshape(-1, factor).sum(axis=1)
        return Histogram(self.lag_ps[:whole:factor], counts, self.bin_ps * factor, expected)

    def drawable(self, width_px: float) -> Histogram:
        """No more bins than a plot of that width can show, by joining neighbours."""
        most = max(FEWEST_DRAWN, round(_BINS_A_PIXEL * width_px))
        return self.rebinned(max(1, -(-len(self.counts) // most)))

    def edges_s(self) -> FloatArray:
        """float64 (B + 1,) bin edges in seconds."""
        edges_ps = np.append(self.lag_ps, self.lag_ps[-1:] + self.bin_ps)
        return edges_ps.astype(np.float64) * _S_PER_PS


@dataclass(frozen=True, slots=True)
class EstimateView:
    """One result as it stands; numbers the analysis could not give are nan."""

    name: str
    value: float
    lower: float
    upper: float
    confidence: float
    n: int
    method: str
    unit: str


@dataclass(frozen=True, slots=True, eq=False)
class CurveView:
    """Measured points with intervals, float64 (K,), and the fitted curve through them, float64 (M,)."""

    x: FloatArray
    x_label: str
    y_label: str
    measured: FloatArray
    lower: FloatArray
    upper: FloatArray
    fit_x: FloatArray
    fit: FloatArray
    residuals: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ImageView:
    """A quantity over two axes: float64 (K,), (M,) and (M, K); nan where nothing was measured."""

    x: FloatArray
    y: FloatArray
    z: FloatArray
    x_label: str
    y_label: str
    z_label: str


@dataclass
class RunView:
    """One run as far as its documents tell."""

    run_id: str = ""
    experiment: str = ""
    path: str = ""
    simulated: bool = False
    config: dict[str, Any] = field(default_factory=dict)
    outcome: str = ""  # status of RunStop; empty while it runs
    reason: str = ""
    setting: str = ""
    fraction: float = 0.0
    started_utc_s: float = 0.0
    latest_utc_s: float = 0.0
    lab_time_s: float = 0.0
    message: str = ""
    clicks: int = 0
    missed: int = 0
    invalid: str = ""  # why the latest data do not count; empty when they do
    channels: dict[str, list[str]] = field(default_factory=dict)
    zero_ps: dict[str, int] = field(default_factory=dict)  # when each source began, on its own clock
    rates: dict[str, Ring] = field(default_factory=dict)
    estimates: dict[str, EstimateView] = field(default_factory=dict)
    histories: dict[str, Thinned] = field(default_factory=dict)
    histograms: dict[str, Histogram] = field(default_factory=dict)
    curves: dict[str, CurveView] = field(default_factory=dict)
    images: dict[str, ImageView] = field(default_factory=dict)
    states: dict[str, NDArray[np.complex128]] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    readings: dict[str, tuple[float, str]] = field(default_factory=dict)

    def apply(self, content: dict[str, Any], utc_s: float) -> None:
        """Takes in one document the engine received at ``utc_s``; a ``RunStart`` makes everything new."""
        take = getattr(self, f"_take_{content['type']}", None)
        if take is not None:
            take(content)
            self.latest_utc_s = utc_s
            self.started_utc_s = self.started_utc_s or utc_s

    def elapsed_s(self) -> float:
        """How long the run has taken, by the wall clock."""
        return self.latest_utc_s - self.started_utc_s

    def remaining_s(self) -> float | None:
        """How long it will still take at this pace, by the wall clock; None when it cannot be told."""
        return None if self.outcome or self.fraction <= 0 else self.elapsed_s() * (1 / self.fraction - 1)

    def series(self) -> list[tuple[str, FloatArray, FloatArray]]:
        """Count rates by channel: (``source channel``, lab time since the run began s, rate Hz), float64 of equal length."""
        found = []
        for source, ring in self.rates.items():
            rows = ring.rows()
            found += [(f"{source} {name}", rows[:, 0], rows[:, 1 + k]) for k, name in enumerate(self.channels[source])]
        return found

    def history(self, name: str) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Lab time s, value, lower and upper of an estimate over the run."""
        rows = self.histories[name].rows() if name in self.histories else np.empty((0, 4))
        return rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3]

    def _take_RunStart(self, content: dict[str, Any]) -> None:  # noqa: N802
        self.__init__()  # type: ignore[misc]
        self.run_id, self.experiment, self.path = content["run_id"], content["experiment"], content["path"]
        self.simulated, self.config = content["simulated"], content["config"]

    def _take_SettingStart(self, content: dict[str, Any]) -> None:  # noqa: N802
        self.setting = content["name"]

    def _take_Tags(self, content: dict[str, Any]) -> None:  # noqa: N802
        source, rates = content["source"], content["rates_hz"]
        if source not in self.rates:
            self.channels[source] = list(rates)
            self.rates[source] = Ring(1 + len(rates))
        zero_ps = self.zero_ps.setdefault(source, content["t_start_ps"])
        t_s = (content["t_stop_ps"] - zero_ps) * _S_PER_PS
        self.rates[source].append([t_s, *(rates.get(name, np.nan) for name in self.channels[source])])
        self.clicks += content["n"]
        self.missed += max(content["missed"], 0)

    def _take_Reading(self, content: dict[str, Any]) -> None:  # noqa: N802
        self.readings[content["name"]] = (content["value"], content["unit"])

    def _take_Validity(self, content: dict[str, Any]) -> None:  # noqa: N802
        self.invalid = "" if content["valid"] else f"{content['source']}: {content['reason']}"

    def _take_Progress(self, content: dict[str, Any]) -> None:  # noqa: N802
        self.fraction, self.lab_time_s = content["fraction"], content["lab_time_s"]
        self.message = content["message"]

    def _take_Result(self, content: dict[str, Any]) -> None:  # noqa: N802
        for name, given in content["estimates"].items():
            estimate = estimate_view(name, given)
            self.estimates[name] = estimate
            row = [self.lab_time_s, estimate.value, estimate.lower, estimate.upper]
            self.histories.setdefault(name, Thinned(4)).append(row)
        for name, given in content["histograms"].items():
            lags, counts = np.asarray(given["lag_ps"], np.int64), np.asarray(given["counts"], np.int64)
            fitted = content.get("expected", {}).get(name)
            expected = None if fitted is None else np.asarray(fitted, np.float64)
            self.histograms[name] = Histogram(lags, counts, given["bin_ps"], expected)
        for name, given in content.get("curves", {}).items():
            self.curves[name] = CurveView(**_arrays(given))
        for name, given in content.get("images", {}).items():
            self.images[name] = ImageView(**_arrays(given))
        for name, given in content.get("states", {}).items():
            self.states[name] = np.asarray(given["re"]) + 1j * np.asarray(given["im"])
        self.counts |= content["counts"]

    def _take_RunStop(self, content: dict[str, Any]) -> None:  # noqa: N802
        self.outcome, self.reason = content["status"], content["reason"]
        if self.outcome == "done":
            self.fraction = 1.0

    def _take_RunFailed(self, content: dict[str, Any]) -> None:  # noqa: N802
        self.outcome, self.reason = "failed", content["reason"]


def _arrays(given: dict[str, Any]) -> dict[str, Any]:
    """Lists as float64 arrays (None is nan), texts as they are."""
    return {k: v if isinstance(v, str) else np.asarray(v, np.float64) for k, v in given.items()}


def estimate_view(name: str, given: dict[str, Any]) -> EstimateView:
    """An estimate from its plain form."""
    value, lower, upper = (np.nan if given[k] is None else given[k] for k in ("value", "lower", "upper"))
    return EstimateView(
        name, value, lower, upper, given["confidence"], given["n"], given["method"], given.get("unit", "")
    )
