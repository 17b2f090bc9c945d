"""NI-DAQmx tasks from a local driver or an NI gRPC Device Server, with deadlines and errors that say what to do.

The package's own remote calls have no deadline, so a hung server would hang the caller; here every call has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import grpc
import nidaqmx
from nidaqmx.errors import DaqError, DaqNotFoundError, DaqNotSupportedError, RpcError

from ..errors import BadReply, ConnectionLost, InstrumentError, LimitError

TaskFactory: TypeAlias = Callable[[], nidaqmx.Task]

LOCAL = "local"


class ResourceReserved(InstrumentError):
    """Another task holds the channel or the timing engine (DAQmx -50103)."""


class NoSuchDevice(InstrumentError):
    """The device, channel or terminal does not exist on this system."""


class BufferFault(InstrumentError):
    """Samples were lost or ran out: the computer was too slow for the rate."""


_RESERVED = "is in use: another task or program holds the channel or its timing; stop that one first"
#: DAQmx error numbers worth an own class and advice. Others come as InstrumentError with the driver's text.
ERRORS: dict[int, tuple[type[InstrumentError], str]] = {
    -50103: (ResourceReserved, _RESERVED),
    -200022: (ResourceReserved, _RESERVED),
    -201105: (ResourceReserved, _RESERVED),
    -200220: (NoSuchDevice, "no such device on this system"),
    -200170: (NoSuchDevice, "no such physical channel on the device"),
    -89120: (NoSuchDevice, "no such terminal on the device"),
    -200077: (LimitError, "value outside what the channel allows"),
    -200561: (LimitError, "value outside what the channel allows"),
    -200284: (ConnectionLost, "samples did not arrive in time; does the sample clock or trigger run?"),
    -200560: (ConnectionLost, "did not finish in time; does the sample clock or trigger run?"),
    -200279: (BufferFault, "samples were overwritten before they were read: read more often or sample slower"),
    -200222: (BufferFault, "the device's memory overflowed: sample slower"),
    -200290: (BufferFault, "ran out of samples to put out: write faster or allow regeneration"),
    -200621: (BufferFault, "ran out of samples to put out: lower the rate"),
    -200016: (BufferFault, "ran out of samples to put out: lower the rate"),
}
INVALID_TASK = -200088


def task_factory(address: str, timeout_s: float) -> TaskFactory:
    """Makes tasks on the computer at ``address``.

    Args:
        address: ``local`` for the driver installed here, else ``host:port`` of an NI gRPC Device Server (or an emulator).
        timeout_s: longest silence of the server; calls that wait for samples get their own time on top.
    """
    if address == LOCAL:
        local: TaskFactory = nidaqmx.Task
        return local
    options = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 1000)]
    channel = grpc.intercept_channel(grpc.insecure_channel(address, options), _Deadline(timeout_s))
    return lambda: nidaqmx.Task(grpc_options=nidaqmx.GrpcSessionOptions(channel, ""))


class _Deadline(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        own_wait_s = max(0.0, getattr(request, "timeout", 0.0), getattr(request, "time_to_wait", 0.0))
        return continuation(_CallDetails(details, self._timeout_s + own_wait_s), request)


class _CallDetails(grpc.ClientCallDetails):  # type: ignore[misc]
    def __init__(self, details: Any, timeout_s: float) -> None:
        self.method, self.metadata, self.timeout = details.method, details.metadata, timeout_s
        self.credentials, self.wait_for_ready = details.credentials, False
        self.compression = details.compression


@contextmanager
def named_errors(instrument: str, command: str) -> Iterator[None]:
    """Turns the package's errors into OSError where the connection failed (for Link) and named errors otherwise."""
    try:
        yield
    except (DaqNotFoundError, DaqNotSupportedError) as error:
        raise InstrumentError(
            instrument,
            "the NI-DAQmx driver is not installed here; give the address of an NI gRPC Device Server",
            command,
        ) from error
    except RpcError as error:
        raise _rpc_error(instrument, command, error) from error
    except DaqError as error:
        if error.error_code == INVALID_TASK:
            raise ConnectionError("the server forgot the task, it was restarted") from error
        kind, advice = ERRORS.get(error.error_code, (InstrumentError, _first_line(error)))
        raise kind(instrument, advice, command, f"DAQmx {error.error_code}: {_first_line(error)}") from error


def _rpc_error(instrument: str, command: str, error: RpcError) -> Exception:
    if error.rpc_code == grpc.StatusCode.UNAVAILABLE:
        return ConnectionError(_first_line(error))
    if error.rpc_code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return TimeoutError(_first_line(error))
    return BadReply(instrument, "the device server failed", command, f"{error.rpc_code.name}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
