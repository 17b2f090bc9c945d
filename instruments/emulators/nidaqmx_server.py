"""NI gRPC Device Server for one emulated device: the unmodified ``nidaqmx`` package talks to it, no NI driver needed.

Only the calls a task of analog, digital and edge-count channels makes are served; any other is UNIMPLEMENTED, which the
package reports. Message definitions come with ``nidaqmx`` itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import grpc
import numpy as np
from nidaqmx._stubs import nidaqmx_pb2 as pb
from nidaqmx._stubs import nidaqmx_pb2_grpc as pb_grpc

from .nidaqmx_model import DaqDevice
from .nidaqmx_task import Gate, Kind, NiError, SampleClock, Task
from .ports import Ports
from .wire import Fault, FaultPlan, WireTrace

DRIVER_VERSION = (25, 8, 0)
UNSUPPORTED_ATTRIBUTE = -200452
FINITE, CONTINUOUS = 10178, 10123
PAUSE_WHILE_LOW = 10214
VOLTAGE_MEASUREMENT, COUNT_EDGES = 10322, 10125
WORKERS = 32
#: Longer responses are not written out in the trace.
TOLD_BYTES = 200


class NiDaqServer:
    """Serves a device at ``endpoint`` (``host:port``). A context manager; ``unplug``/``plug`` stop and start it."""

    def __init__(
        self, ports: Ports, device_name: str = "Dev1", host: str = "127.0.0.1", port: int = 0, latency_s: float = 0.0
    ) -> None:
        self.faults, self.trace, self.latency_s = FaultPlan(), WireTrace(), latency_s
        self.device = DaqDevice(ports, device_name)
        self._host, self._port = host, port
        self.plug()

    @property
    def endpoint(self) -> str:
        return f"{self._host}:{self._port}"

    def plug(self) -> None:
        wire = _Wire(self)
        self._server = grpc.server(futures.ThreadPoolExecutor(WORKERS, "nidaqmx"), interceptors=[wire])
        pb_grpc.add_NiDAQmxServicer_to_server(_Servicer(self.device), self._server)
        self._port = self._server.add_insecure_port(self.endpoint)
        self._server.start()

    def unplug(self) -> None:
        self._server.stop(0).wait()

    def close(self) -> None:
        self.unplug()

    def __enter__(self) -> NiDaqServer:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class _Wire(grpc.ServerInterceptor):  # type: ignore[misc]
    """Keeps the trace and plays the faults."""

    def __init__(self, server: NiDaqServer) -> None:
        self._server, self._faults, self._trace, self._device = server, server.faults, server.trace, server.device

    def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:
        handler = continuation(details)
        self._trace.received(details.method.rsplit("/", 1)[1])
        if handler is None or handler.unary_unary is None:
            return handler

        def faulty(request: Any, context: grpc.ServicerContext) -> Any:
            time.sleep(self._server.latency_s)
            self._suffer(self._faults.take(), context)
            response = handler.unary_unary(request, context)
            self._trace.sent(_told(response))
            return response

        return grpc.unary_unary_rpc_method_handler(faulty, handler.request_deserializer, handler.response_serializer)

    def _suffer(self, fault: Fault | None, context: grpc.ServicerContext) -> None:
        match fault:
            case Fault.SILENT:
                while context.is_active():
                    time.sleep(0.01)
            case Fault.LATE:
                time.sleep(self._faults.late_s)
            case Fault.DROP | Fault.PARTIAL:
                context.abort(grpc.StatusCode.UNAVAILABLE, "connection dropped")
            case Fault.GARBAGE:
                context.abort(grpc.StatusCode.INTERNAL, "response could not be parsed")
            case Fault.RESET:
                self._device.power_on()
                context.abort(grpc.StatusCode.UNAVAILABLE, "server restarted")


def _told(response: Any) -> str:
    """A response in a line, long lists left out."""
    return f"{type(response).__name__} {str(response) if response.ByteSize() < TOLD_BYTES else ''}".replace("\n", " ")


class _Servicer(pb_grpc.NiDAQmxServicer):  # type: ignore[misc]
    """The calls, by their names in the protocol."""

    def __init__(self, device: DaqDevice) -> None:
        self._device = device

    def __getattribute__(self, name: str) -> Any:
        # The protocol has some 160 calls of the form Get…/Set…/Reset…Attribute…; one method serves them all.
        if "Attribute" in name and name.startswith(("Get", "Set", "Reset")):
            return lambda request, context: self._attribute(name, request, context)
        method = super().__getattribute__(name)
        if name in _Servicer.__dict__ and name[0].isupper() and not name.startswith("Register"):
            return lambda request, context: _answer(method, request, context)
        return method

    def _attribute(self, call: str, request: Any, context: grpc.ServicerContext) -> Any:
        return _answer(lambda r: _Attributes(self._device, call, r).response(), request, context)

    # -- tasks ---------------------------------------------------------------------------------------------------------

    def CreateTask(self, request: Any) -> Any:  # noqa: N802
        task, is_new = self._device.create(request.session_name)
        response = pb.CreateTaskResponse(new_session_initialized=is_new)
        response.task.name = task.name
        return response

    def ClearTask(self, request: Any) -> Any:  # noqa: N802
        self._device.clear(request.task.name)
        return pb.ClearTaskResponse()

    def StartTask(self, request: Any) -> Any:  # noqa: N802
        self._device.start(self._task(request))
        return pb.StartTaskResponse()

    def StopTask(self, request: Any) -> Any:  # noqa: N802
        self._device.stop(self._task(request))
        return pb.StopTaskResponse()

    def TaskControl(self, request: Any) -> Any:  # noqa: N802
        self._task(request)
        return pb.TaskControlResponse()

    def IsTaskDone(self, request: Any) -> Any:  # noqa: N802
        return pb.IsTaskDoneResponse(is_task_done=self._device.is_done(self._task(request)))

    def WaitUntilTaskDone(self, request: Any) -> Any:  # noqa: N802
        self._device.wait_done(self._task(request), request.time_to_wait)
        return pb.WaitUntilTaskDoneResponse()

    def CfgSampClkTiming(self, request: Any) -> Any:  # noqa: N802
        finite = request.sample_mode_raw == FINITE
        self._task(request).clock = SampleClock(request.rate, request.samps_per_chan, finite, request.source)
        return pb.CfgSampClkTimingResponse()

    def CfgDigEdgeStartTrig(self, request: Any) -> Any:  # noqa: N802
        self._task(request).start_trigger = request.trigger_source
        return pb.CfgDigEdgeStartTrigResponse()

    def DisableStartTrig(self, request: Any) -> Any:  # noqa: N802
        self._task(request).start_trigger = ""
        return pb.DisableStartTrigResponse()

    # -- channels ------------------------------------------------------------------------------------------------------

    def CreateAOVoltageChan(self, request: Any) -> Any:  # noqa: N802
        self._voltage(request, Kind.AO)
        return pb.CreateAOVoltageChanResponse()

    def CreateAIVoltageChan(self, request: Any) -> Any:  # noqa: N802
        self._voltage(request, Kind.AI)
        return pb.CreateAIVoltageChanResponse()

    def CreateCICountEdgesChan(self, request: Any) -> Any:  # noqa: N802
        self._device.add_channels(self._task(request), request.counter, request.name_to_assign_to_channel, Kind.CI)
        return pb.CreateCICountEdgesChanResponse()

    def CreateDOChan(self, request: Any) -> Any:  # noqa: N802
        self._device.add_channels(self._task(request), request.lines, request.name_to_assign_to_lines, Kind.DO)
        return pb.CreateDOChanResponse()

    def CreateDIChan(self, request: Any) -> Any:  # noqa: N802
        self._device.add_channels(self._task(request), request.lines, request.name_to_assign_to_lines, Kind.DI)
        return pb.CreateDIChanResponse()

    # -- data ----------------------------------------------------------------------------------------------------------

    def WriteAnalogF64(self, request: Any) -> Any:  # noqa: N802
        task = self._task(request)
        samples_v = np.asarray(request.write_array, np.float64).reshape(len(task.channels), -1)
        self._device.write_analog(task, samples_v)
        if request.auto_start:
            self._device.start(task)
        return pb.WriteAnalogF64Response(samps_per_chan_written=samples_v.shape[1])

    def WriteAnalogScalarF64(self, request: Any) -> Any:  # noqa: N802
        self._device.write_analog(self._task(request), np.array([[request.value]]))
        return pb.WriteAnalogScalarF64Response()

    def WriteDigitalLines(self, request: Any) -> Any:  # noqa: N802
        task = self._task(request)
        levels = np.frombuffer(request.write_array, np.bool_).reshape(len(task.channels), -1)
        self._device.write_lines(task, levels)
        return pb.WriteDigitalLinesResponse(samps_per_chan_written=levels.shape[1])

    def ReadAnalogF64(self, request: Any) -> Any:  # noqa: N802
        values = self._device.read_analog(self._task(request), request.num_samps_per_chan, request.timeout)
        return pb.ReadAnalogF64Response(read_array=values.ravel(), samps_per_chan_read=values.shape[1])

    def ReadAnalogScalarF64(self, request: Any) -> Any:  # noqa: N802
        values = self._device.read_analog(self._task(request), 1, request.timeout)
        return pb.ReadAnalogScalarF64Response(value=values[0, 0])

    def ReadCounterF64Ex(self, request: Any) -> Any:  # noqa: N802
        counts = self._device.read_counts(self._task(request), request.num_samps_per_chan, request.timeout)
        return pb.ReadCounterF64ExResponse(read_array=counts.ravel(), samps_per_chan_read=counts.shape[1])

    def ReadCounterU32(self, request: Any) -> Any:  # noqa: N802
        counts = self._device.read_counts(self._task(request), request.num_samps_per_chan, request.timeout)
        return pb.ReadCounterU32Response(
            read_array=counts.astype(np.uint32).ravel(), samps_per_chan_read=counts.shape[1]
        )

    def ReadCounterU32Ex(self, request: Any) -> Any:  # noqa: N802
        counts = self._device.read_counts(self._task(request), request.num_samps_per_chan, request.timeout)
        return pb.ReadCounterU32ExResponse(
            read_array=counts.astype(np.uint32).ravel(), samps_per_chan_read=counts.shape[1]
        )

    def ReadCounterScalarU32(self, request: Any) -> Any:  # noqa: N802
        counts = self._device.read_counts(self._task(request), 1, request.timeout)
        return pb.ReadCounterScalarU32Response(value=int(counts[0, 0]))

    def ReadDigitalLines(self, request: Any) -> Any:  # noqa: N802
        levels = self._device.read_lines(self._task(request), request.num_samps_per_chan, request.timeout)
        return pb.ReadDigitalLinesResponse(
            read_array=levels.tobytes(), samps_per_chan_read=levels.shape[1], num_bytes_per_samp=1
        )

    # -- events --------------------------------------------------------------------------------------------------------

    def RegisterEveryNSamplesEvent(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: N802
        task = self._task(request)
        context.send_initial_metadata(())  # the client waits for it
        told = 0
        while context.is_active():
            clock = self._device.clock_of(task)
            ticks = 0 if clock is None else int((self._device.ports.now_s() - clock[0]) * clock[1])
            if ticks < (told + 1) * request.n_samples:
                time.sleep(0.001)
                continue
            told += 1
            yield pb.RegisterEveryNSamplesEventResponse(
                every_n_samples_event_type_raw=request.every_n_samples_event_type_raw, n_samples=request.n_samples
            )

    def _voltage(self, request: Any, kind: Kind) -> None:
        task = self._task(request)
        self._device.add_channels(
            task, request.physical_channel, request.name_to_assign_to_channel, kind, request.min_val, request.max_val
        )

    def _task(self, request: Any) -> Task:
        return self._device.task(request.task.name)


class _Attributes:
    """One Get…/Set…/Reset…Attribute… call: values set before, else those that follow from the task."""

    def __init__(self, device: DaqDevice, call: str, request: Any) -> None:
        self._device, self._call, self._request = device, call, request
        self._verb = next(verb for verb in ("Get", "Set", "Reset") if call.startswith(verb))
        self._scope = call.removeprefix(self._verb).split("Attribute")[0]
        self._task = device.task(request.task.name) if "task" in request.DESCRIPTOR.fields_by_name else None
        self._key = (self._scope, getattr(request, "channel", ""), request.attribute_raw)

    def response(self) -> Any:
        response = getattr(pb, self._call + "Response")()
        store = self._task.attributes if self._task is not None else {}
        if self._verb == "Reset":
            store.pop(self._key, None)
        elif self._verb == "Set":
            store[self._key] = getattr(self._request, _value_field(self._request))
            self._act(store[self._key])
        else:
            value = store.get(self._key, self._derived())
            if value is None:
                number = self._request.attribute_raw
                raise NiError(UNSUPPORTED_ATTRIBUTE, f"Attribute {number:#x} of {self._scope} is not supported.")
            setattr(response, _value_field(response), value)
        return response

    def _act(self, value: Any) -> None:
        """What setting an attribute does to the task, beyond being remembered."""
        task, (scope, _, number) = self._task, self._key
        if task is None:
            return
        if scope == "Chan" and number == pb.CHANNEL_ATTRIBUTE_CI_COUNT_EDGES_TERM:
            self._device.route_counter(task, value)
        elif scope == "Trig" and number == pb.TRIGGER_ATTRIBUTE_DIG_LVL_PAUSE_TRIG_SRC:
            task.gate = Gate(value, task.gate is None or task.gate.counts_while_high)
        elif scope == "Trig" and number == pb.TRIGGER_ATTRIBUTE_DIG_LVL_PAUSE_TRIG_WHEN:
            task.gate = Gate(task.gate.terminal if task.gate else "", value == PAUSE_WHILE_LOW)

    def _derived(self) -> Any:
        number = self._request.attribute_raw
        if self._scope == "SystemInfo":
            return self._system(number)
        if self._scope == "Device":
            return {pb.DEVICE_ATTRIBUTE_PRODUCT_TYPE: "PCIe-6363", pb.DEVICE_ATTRIBUTE_SERIAL_NUM: 0x12345678}.get(
                number
            )
        if self._task is None:
            return None
        makers: dict[str, Callable[[Task], dict[int, Any]]] = {
            "Task": self._of_task, "Chan": self._of_channel, "Read": self._of_read, "Write": self._of_write,
            "Timing": self._of_timing,
        }  # fmt: skip
        return makers[self._scope](self._task).get(number) if self._scope in makers else None

    def _system(self, number: int) -> Any:
        major, minor, update = DRIVER_VERSION
        return {
            pb.SYSTEM_ATTRIBUTE_NIDAQ_MAJOR_VERSION: major,
            pb.SYSTEM_ATTRIBUTE_NIDAQ_MINOR_VERSION: minor,
            pb.SYSTEM_ATTRIBUTE_NIDAQ_UPDATE_VERSION: update,
            pb.SYSTEM_ATTRIBUTE_DEV_NAMES: self._device.name,
        }.get(number)

    def _of_task(self, task: Task) -> dict[int, Any]:
        return {
            pb.TASK_ATTRIBUTE_CHANNELS: _names(task),
            pb.TASK_ATTRIBUTE_NAME: task.name,
            pb.TASK_ATTRIBUTE_NUM_CHANS: len(task.channels),
            pb.TASK_ATTRIBUTE_DEVICES: self._device.name,
        }

    def _of_channel(self, task: Task) -> dict[int, Any]:
        asked = self._request.channel.split(",")[0].strip()
        channel = next((c for c in task.channels if c.name == asked), task.channels[0])
        return {
            pb.CHANNEL_ATTRIBUTE_CHAN_TYPE: channel.kind.value,
            pb.CHANNEL_ATTRIBUTE_AI_MEAS_TYPE: VOLTAGE_MEASUREMENT,
            pb.CHANNEL_ATTRIBUTE_CI_MEAS_TYPE: COUNT_EDGES,
            pb.CHANNEL_ATTRIBUTE_PHYSICAL_CHAN_NAME: channel.physical,
        }

    def _of_read(self, task: Task) -> dict[int, Any]:
        return {
            pb.READ_ATTRIBUTE_CHANNELS_TO_READ: _names(task),
            pb.READ_ATTRIBUTE_NUM_CHANS: len(task.channels),
            pb.READ_ATTRIBUTE_DIGITAL_LINES_BYTES_PER_CHAN: 1,
            pb.READ_ATTRIBUTE_AVAIL_SAMP_PER_CHAN: self._device.available(task),
            pb.READ_ATTRIBUTE_READ_ALL_AVAIL_SAMP: False,
            0x31E8: task.clock.n if task.clock else 1,  # default number of samples of a read, driver >= 24.5
        }

    def _of_write(self, task: Task) -> dict[int, Any]:
        return {
            pb.WRITE_ATTRIBUTE_NUM_CHANS: len(task.channels),
            pb.WRITE_ATTRIBUTE_DIGITAL_LINES_BYTES_PER_CHAN: 1,
        }

    def _of_timing(self, task: Task) -> dict[int, Any]:
        clock = task.clock or SampleClock(0.0, 0, True)
        return {
            pb.TIMING_ATTRIBUTE_SAMP_QUANT_SAMP_MODE: FINITE if clock.finite else CONTINUOUS,
            pb.TIMING_ATTRIBUTE_SAMP_QUANT_SAMP_PER_CHAN: clock.n,
            pb.TIMING_ATTRIBUTE_SAMP_CLK_RATE: clock.rate_hz,
        }


def _names(task: Task) -> str:
    return ", ".join(channel.name for channel in task.channels)


def _value_field(message: Any) -> str:
    return "value_raw" if "value_raw" in message.DESCRIPTOR.fields_by_name else "value"


def _answer(method: Callable[[Any], Any], request: Any, context: grpc.ServicerContext) -> Any:
    """Calls the method; a DAQmx error travels as the trailing metadata the client reads it from."""
    try:
        return method(request)
    except NiError as error:
        context.set_trailing_metadata((("ni-error", str(error.code)),))
        context.abort(grpc.StatusCode.UNKNOWN, error.text)
