"""Link: what happens to questions and commands when a transport breaks."""

from __future__ import annotations

import time

import pytest

from erbia.instruments.drivers.link import Link
from erbia.instruments.errors import ConnectionLost


class Wire:
    """A transport whose uses raise what is in ``troubles``, one after the other."""

    opened = 0
    closed = 0


def _link(opening: list[BaseException | None] | None = None) -> tuple[Link[Wire], list[str]]:
    log: list[str] = []
    errors = opening or []

    def connect() -> Wire:
        error = errors.pop(0) if errors else None
        if error is not None:
            log.append("refused")
            raise error
        log.append("open")
        return Wire()

    link = Link("las", "there", connect, lambda wire: log.append("close"), on_reconnect=lambda: log.append("again"))
    return link, log


def _failing(*errors: BaseException | None) -> tuple[list[int], object]:
    left = list(errors)
    uses: list[int] = []

    def exchange(wire: Wire) -> str:
        uses.append(1)
        error = left.pop(0) if left else None
        if error is not None:
            raise error
        return "answer"

    return uses, exchange


def test_a_broken_question_is_asked_once_more_on_a_fresh_transport() -> None:
    link, log = _link()
    uses, exchange = _failing(ConnectionResetError("gone"))
    assert link.query("POW?", exchange) == "answer"  # type: ignore[arg-type]
    assert len(uses) == 2
    assert log == ["open", "close", "open", "again"]


def test_a_question_is_not_asked_a_third_time() -> None:
    link, _ = _link()
    uses, exchange = _failing(EOFError("1"), EOFError("2"), None)
    with pytest.raises(ConnectionLost, match=r"las: lost the connection \(2\) \(asked 'POW\?'\)"):
        link.query("POW?", exchange)  # type: ignore[arg-type]
    assert len(uses) == 2


@pytest.mark.parametrize("error", [TimeoutError("slow"), BrokenPipeError("broken"), EOFError("end")])
def test_a_command_is_never_sent_twice(error: Exception) -> None:
    link, log = _link()
    uses, exchange = _failing(error)
    with pytest.raises(ConnectionLost, match="state unknown"):
        link.send("POW 1", exchange)  # type: ignore[arg-type]
    assert len(uses) == 1
    assert log == ["open", "close"]


def test_a_slow_answer_costs_one_timeout_and_the_transport() -> None:
    link, log = _link()
    uses, exchange = _failing(TimeoutError("slow"))
    with pytest.raises(ConnectionLost, match="did not answer in time"):
        link.query("POW?", exchange)  # type: ignore[arg-type]
    assert len(uses) == 1
    assert log == ["open", "close"]


def test_an_interrupt_between_question_and_answer_drops_the_transport() -> None:
    link, log = _link()
    _, exchange = _failing(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        link.query("POW?", exchange)  # type: ignore[arg-type]
    assert log == ["open", "close"]


def test_while_the_back_off_runs_calls_fail_at_once_and_it_grows() -> None:
    link, log = _link([ConnectionRefusedError("no"), ConnectionRefusedError("no"), None])
    _, exchange = _failing()
    with pytest.raises(ConnectionLost, match="not reachable at there: no"):
        link.query("POW?", exchange)  # type: ignore[arg-type]
    start = time.perf_counter()
    with pytest.raises(ConnectionLost, match=r"next attempt in 0.0[12] s"):
        link.query("POW?", exchange)  # type: ignore[arg-type]
    assert time.perf_counter() - start < 0.01
    assert log == ["refused"]
    time.sleep(0.025)
    with pytest.raises(ConnectionLost, match="not reachable at there: no"):
        link.query("POW?", exchange)  # type: ignore[arg-type]
    with pytest.raises(ConnectionLost, match=r"next attempt in 0.0[34] s"):
        link.query("POW?", exchange)  # type: ignore[arg-type]
    time.sleep(0.045)
    assert link.query("POW?", exchange) == "answer"  # type: ignore[arg-type]


def test_a_closed_link_says_so() -> None:
    link, _ = _link()
    link.close()
    _, exchange = _failing()
    with pytest.raises(ConnectionLost, match="is closed"):
        link.query("POW?", exchange)  # type: ignore[arg-type]
