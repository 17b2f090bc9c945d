"""One run, or several compared, as a page to read and keep: self-contained HTML, or a PDF of the same figures.

Nothing is measured here: the caller hands over estimates, histograms, counts and where they come from.
"""

from __future__ import annotations

import base64
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from . import report_figures as figures
from .errors import UsageError
from .intervals import correlator_estimate
from .records import Estimate
from .report_input import Curve, Image, ReportInput
from .report_style import STYLE
from .report_text import distance_in_errors, estimate_parts, estimate_text, label, value_like
from .report_timing import timing_diagram
from .stability_figure import deviation_figure

__all__ = ["Curve", "Image", "ReportInput", "render_pdf", "render_report"]

_OUTCOMES = ("++", "+-", "-+", "--")
_CARDS = 8
#: Standard errors from the truth at which a result is marked.
_FAR = 4.0
#: Characters above which a fact is folded away.
_LONG = 200


def render_report(runs: Sequence[ReportInput], headline: ReportInput | None = None) -> str:
    """The report as one HTML page that needs no other file and no network.

    ``headline`` is shown first: the few numbers a set of runs was made for.

    Raises:
        UsageError: no runs.
    """
    _require(runs)
    title = headline.title if headline else f"{len(runs)} runs compared" if _compared(runs) else runs[0].title
    body = [_header(title, any(run.simulated for run in runs))]
    if headline is None and _compared(runs):
        body.append(_side_by_side(runs))
    for run in [headline, *runs] if headline else runs:
        heading = "" if run.title == title else f"<h2>{escape(run.title)}{_badge(run.simulated)}</h2>"
        body.append(f"<section>{heading}{''.join(_run_parts(run))}</section>")
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}<style>{STYLE}</style></head>'
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def render_pdf(runs: Sequence[ReportInput]) -> bytes:
    """The same report as a PDF: for each run a page of results, then its figures, one a page.

    Raises:
        UsageError: no runs.
    """
    _require(runs)
    buffer = io.BytesIO()
    with PdfPages(buffer, metadata={"Title": runs[0].title, "Creator": "erbia", "CreationDate": None}) as pages:
        if _compared(runs):
            pages.savefig(figures.comparison([run.title for run in runs], _compared(runs)))
        for run in runs:
            pages.savefig(figures.results_page(run.title, _result_rows(run), run.simulated))
            for figure, _ in _figures(run):
                pages.savefig(figure)
    return buffer.getvalue()


def _require(runs: Sequence[ReportInput]) -> None:
    if not runs:
        raise UsageError("a report needs at least one run")


def _badge(simulated: bool) -> str:
    return '<span class="badge">SIMULATED</span>' if simulated else ""


def _header(title: str, simulated: bool) -> str:
    note = '<p class="note">These data come from a simulated laboratory, not from instruments.</p>' if simulated else ""
    return f"<header><h1>{escape(title)}{_badge(simulated)}</h1>{note}</header>"


def _run_parts(run: ReportInput) -> Iterator[str]:
    yield f'<div class="cards">{"".join(_card(run, name) for name in list(run.estimates)[:_CARDS])}</div>'
    yield "<h3>Results</h3>" + _table(_result_rows(run))
    for figure, caption in _figures(run):
        yield _image(figure, caption)
    for name, table in _count_tables(run):
        yield f"<h3>{escape(name)}</h3>{table}"
    facts = {} if run.live_time_s is None else {"live time": f"{run.live_time_s:.6g} s"}
    facts |= {name: _plain(value) for name, value in run.provenance.items()}
    if short := [[name, text] for name, text in facts.items() if len(text) <= _LONG]:
        yield "<h3>Where it comes from</h3>" + _table([["", ""], *short])
    folded = {name: text for name, text in facts.items() if len(text) > _LONG}
    if run.config:
        folded["configuration"] = json.dumps(run.config, indent=2, ensure_ascii=False, default=str)
    for name, text in folded.items():
        yield f"<details><summary>{escape(name)}</summary><pre>{escape(text)}</pre></details>"


def _card(run: ReportInput, name: str) -> str:
    estimate = run.estimates[name]
    value, plus, minus, unit = estimate_parts(estimate)
    truth = ""
    if run.truth is not None and name in run.truth:
        truth = f'<div class="truth">truth {escape(value_like(run.truth[name], estimate))}</div>'
    return (
        f'<div class="card"><div class="name">{escape(label(name))}</div>'
        f'<div class="value{" long" if len(value) > 8 else ""}">{value}<span class="arms"><span>{plus}</span><span>{minus}</span></span> '
        f"<small>{escape(unit)}</small></div>{truth}</div>"
    )


def _result_rows(run: ReportInput) -> list[list[str]]:
    """The results as texts, with columns for truth and prediction where there are any."""
    with_truth, with_prediction = run.truth is not None, bool(run.predictions)
    head = ["quantity", "value", "interval"]
    head += ["truth", "off by"] * with_truth + ["predicted"] * with_prediction + ["events", "method"]
    rows = [head]
    for name, e in run.estimates.items():
        row = [label(name), estimate_text(e), _interval(e)]
        if run.truth is not None:
            row += _truth_cells(run.truth.get(name), e)
        if with_prediction:
            row.append(value_like(run.predictions[name], e) if name in run.predictions else "")
        rows.append([*row, f"{e.n}", e.method])
    return rows


def _interval(e: Estimate) -> str:
    lower = value_like(e.lower, e).split(" ")[0]
    return f"{lower} … {value_like(e.upper, e)} ({100 * e.confidence:.3g} %)"


def _truth_cells(truth: float | None, estimate: Estimate) -> list[str]:
    if truth is None:
        return ["", ""]
    distance = distance_in_errors(truth, estimate)
    if distance is None:
        return [value_like(truth, estimate), ""]
    warning = " ⚠" if abs(distance) > _FAR else ""
    return [value_like(truth, estimate), f"{distance:+.1f} σ{warning}".replace("-", "−")]


def _figures(run: ReportInput) -> Iterator[tuple[Figure, str]]:
    """Every figure of a run with the words for those who cannot see it."""
    correlators = {basis: e for basis, table in run.counts.items() if (e := _correlator(table)) is not None}
    if correlators:
        yield figures.correlators(correlators, run.simulated), "correlators"
    for name, curve in run.curves.items():
        if curve.x_label.startswith("averaging time"):
            yield deviation_figure(label(name), curve, run.simulated), f"{label(name)} with the slopes of clock noises"
        else:
            yield figures.curve(label(name), curve, run.simulated), f"{label(name)} with fit"
    for name, drawn in run.images.items():
        yield figures.image(label(name), drawn, run.simulated), f"map {label(name)}"
    for name, h in run.histograms.items():
        yield figures.histogram(label(name), h, run.expected.get(name), run.simulated), f"histogram {label(name)}"
    for name, rho in run.states.items():
        yield figures.density_matrix(label(name), rho, run.simulated), f"density matrix {label(name)}"
    if run.timing:
        yield timing_diagram(run.timing, "pulses", run.simulated), "pulses of a setting"


def _correlator(table: Mapping[str, int]) -> Estimate | None:
    if set(table) != set(_OUTCOMES) or sum(table.values()) == 0:
        return None
    return correlator_estimate(table["++"] + table["--"], sum(table.values()))


def _count_tables(run: ReportInput) -> Iterator[tuple[str, str]]:
    """Tables of counts: settings with the same outcomes share one."""
    groups: dict[tuple[str, ...], dict[str, Mapping[str, int]]] = {}
    for setting, table in run.counts.items():
        groups.setdefault(tuple(sorted(table)), {})[setting] = table
    for outcomes, settings in groups.items():
        head = ["setting", *outcomes, "sum"]
        rows = [[s, *(str(t[o]) for o in outcomes), str(sum(t.values()))] for s, t in settings.items()]
        if set(outcomes) == set(_OUTCOMES):
            head.append("correlator")
            for row, table in zip(rows, settings.values(), strict=True):
                e = _correlator(table)
                row.append(estimate_text(e) if e else "no counts")
        yield "Counts", _table([head, *rows])


def _side_by_side(runs: Sequence[ReportInput]) -> str:
    compared = _compared(runs)
    rows = [["quantity", *(run.title for run in runs)]]
    rows += [[label(name), *(estimate_text(e) if e else "" for e in cells)] for name, cells in compared.items()]
    figure = figures.comparison([run.title for run in runs], compared)
    return f"<section><h2>Side by side</h2>{_table(rows)}{_image(figure, 'runs compared')}</section>"


def _compared(runs: Sequence[ReportInput]) -> dict[str, list[Estimate | None]]:
    """The estimates at least two runs have, run by run."""
    shared = Counter(name for run in runs for name in run.estimates)
    return {name: [run.estimates.get(name) for run in runs] for name, n in shared.items() if n > 1}


def _table(rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
    head = f"<thead><tr>{head}</tr></thead>" if any(rows[0]) else ""
    body = "".join(
        f"<tr><th>{escape(first)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in rest)}</tr>"
        for first, *rest in rows[1:]
    )
    return f'<div class="scroll"><table>{head}<tbody>{body}</tbody></table></div>'


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _image(figure: Figure, caption: str) -> str:
    buffer = io.StringIO()
    with rc_context(figures.RC):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    data = base64.b64encode(buffer.getvalue().encode()).decode()
    return f'<figure><img alt="{escape(caption)}" src="data:image/svg+xml;base64,{data}"></figure>'
