"""Reports: complete, self-contained, honest about simulation, safe with any text."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from erbia.analysis.errors import UsageError
from erbia.analysis.records import CorrelationHistogram, Estimate
from erbia.analysis.report import Curve, Image, ReportInput, render_pdf, render_report
from erbia.analysis.report_text import estimate_text, label, value_like

FIDELITY = Estimate(0.8942, 0.8812, 0.9052, 0.95, 0.006, 912, "likelihood ratio")
STORAGE = Estimate(6.79e-4, 5.73e-4, math.inf, 0.95, math.nan, 2400, "profile", "s")


def run_input(**changes: object) -> ReportInput:
    lag_ps = np.arange(-500, 500, 10, dtype=np.int64)
    counts = np.random.default_rng(1).poisson(5 + 200 * np.exp(-((lag_ps / 40.0) ** 2)))
    t = np.linspace(0, 1e-3, 5)
    plain = ReportInput(
        title="A run",
        simulated=True,
        estimates={"fidelity": FIDELITY, "storage_time_s": STORAGE},
        truth={"fidelity": 0.86, "storage_time_s": 7e-4},
        predictions={"fidelity": 0.9},
        histograms={"heralds": CorrelationHistogram(lag_ps, counts, 10, 1000, 1000, 10**9)},
        expected={"heralds": 5 + 200 * np.exp(-((lag_ps / 40.0) ** 2))},
        images={"scan": Image(t, t[:3], np.where(np.eye(3, 5), np.nan, 1.0), "x (s)", "y (s)", "rate (Hz)")},
        curves={"decay": Curve(t, "storage time (s)", "p", t, t, t, t, t, t)},
        counts={"XX": {"++": 40, "+-": 5, "-+": 5, "--": 40}, "clicks": {"a": 3, "b": 4}},
        states={"state": np.eye(4, dtype=complex) / 4},
        live_time_s=12.5,
        provenance={"git_commit": "abc123"},
        config={"bases": ["XX"]},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


class Collector(HTMLParser):
    """Tags, their sources and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for key, value in attrs if key in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["style"]:
            self.text += data + "\n"


def test_everything_handed_in_is_on_the_page() -> None:
    page = Collector(render_report([run_input()]))
    for words in ("A run", "SIMULATED", "0.894", "679", "∞", "truth", "predicted", "912", "likelihood ratio", "abc123"):
        assert words in page.text, words
    assert "12.5 s" in page.text
    assert "+5.7 σ ⚠" in page.text
    # Correlators, decay, histogram and density matrix.
    assert page.tags.count("img") == 5


def test_long_facts_are_folded_away() -> None:
    page = Collector(render_report([run_input(provenance={"host": "lab", "packages": "x" * 300}, config={})]))
    assert page.tags.count("details") == 1
    assert "x" * 300 in page.text


def test_the_page_needs_nothing_else() -> None:
    text = render_report([run_input()])
    page = Collector(text)
    assert all(source.startswith("data:image/svg+xml;base64,") for source in page.sources)
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert not re.search(r"@import|url\(", text)


def test_a_real_run_is_not_called_simulated_and_shows_no_truth() -> None:
    text = Collector(render_report([run_input(simulated=False, truth=None)])).text
    assert "SIMULATED" not in text
    assert "truth" not in text


def test_text_from_outside_cannot_become_markup() -> None:
    hostile = "<script>alert(1)</script>"
    run = run_input(title=hostile, provenance={hostile: hostile}, config={"x": hostile}, curves={}, states={})
    page = Collector(render_report([run]))
    assert "script" not in page.tags
    assert hostile in page.text


def test_several_runs_are_compared() -> None:
    other = run_input(title="Another run", estimates={"fidelity": replace(FIDELITY, value=0.9, upper=0.91)})
    page = Collector(render_report([run_input(), other]))
    for words in ("2 runs compared", "Side by side", "A run", "Another run", "0.900"):
        assert words in page.text, words
    assert page.tags.count("img") == 11


def test_the_same_input_gives_the_same_page() -> None:
    assert render_report([run_input()]) == render_report([run_input()])


def test_an_empty_run_still_makes_a_page() -> None:
    page = Collector(render_report([ReportInput("Nothing yet", False, {})]))
    assert "Nothing yet" in page.text
    quiet = CorrelationHistogram(np.arange(4, dtype=np.int64), np.zeros(4, np.int64), 1, 0, 0, 0)
    render_report(
        [
            ReportInput(
                "Quiet", False, {}, histograms={"h": quiet}, counts={"XX": dict.fromkeys(("++", "+-", "-+", "--"), 0)}
            )
        ]
    )


def test_pdf() -> None:
    pdf = render_pdf([run_input(), run_input(title="Another run")])
    assert pdf.startswith(b"%PDF")
    # One page of comparison, then for each run its results and five figures.
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1 + 2 * 6


@pytest.mark.parametrize("render", [render_report, render_pdf])
def test_no_runs_is_an_error(render: object) -> None:
    with pytest.raises(UsageError, match="at least one run"):
        render([])  # type: ignore[operator]


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (FIDELITY, "0.894 +0.011 −0.013"),
        (STORAGE, "679 +∞ −106 µs"),
        (Estimate(-12.0, -15.0, -11.0, 0.95, 1.0, 3, "", "ps"), "−12.0 +1.0 −3.0 ps"),
        (Estimate(0.5, 0.5, 0.5, 0.95, 0.0, 0, "given"), "0.5000 +0.0000 −0.0000"),
        (Estimate(math.nan, -math.inf, math.inf, 0.95, math.nan, 0, "none"), "unknown +unknown −unknown"),
    ],
)
def test_numbers_show_the_digits_their_interval_leaves(estimate: Estimate, text: str) -> None:
    assert estimate_text(estimate) == text


def test_other_numbers_follow_the_estimate() -> None:
    assert value_like(7e-4, STORAGE) == "700 µs"
    assert label("herald_rate_hz") == "herald rate"
    assert label("chsh_s") == "CHSH S"
    assert label("e_xx") == "E(XX)"
