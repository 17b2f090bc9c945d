from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Nothing(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Status(_message.Message):
    __slots__ = ("state", "station", "simulated", "experiment", "run_id", "run_path", "last_error", "next_index", "free_disk_bytes", "pid", "seed", "out_dir", "run_bytes", "queued", "queue_held", "entry_id", "role")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        IDLE: _ClassVar[Status.State]
        RUNNING: _ClassVar[Status.State]
        PAUSED: _ClassVar[Status.State]
        STOPPING: _ClassVar[Status.State]
        PAUSING: _ClassVar[Status.State]
    IDLE: Status.State
    RUNNING: Status.State
    PAUSED: Status.State
    STOPPING: Status.State
    PAUSING: Status.State
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATION_FIELD_NUMBER: _ClassVar[int]
    SIMULATED_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_PATH_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    NEXT_INDEX_FIELD_NUMBER: _ClassVar[int]
    FREE_DISK_BYTES_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    OUT_DIR_FIELD_NUMBER: _ClassVar[int]
    RUN_BYTES_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    QUEUE_HELD_FIELD_NUMBER: _ClassVar[int]
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    state: Status.State
    station: str
    simulated: bool
    experiment: str
    run_id: str
    run_path: str
    last_error: str
    next_index: int
    free_disk_bytes: int
    pid: int
    seed: int
    out_dir: str
    run_bytes: int
    queued: int
    queue_held: str
    entry_id: int
    role: str
    def __init__(self, state: _Optional[_Union[Status.State, str]] = ..., station: _Optional[str] = ..., simulated: _Optional[bool] = ..., experiment: _Optional[str] = ..., run_id: _Optional[str] = ..., run_path: _Optional[str] = ..., last_error: _Optional[str] = ..., next_index: _Optional[int] = ..., free_disk_bytes: _Optional[int] = ..., pid: _Optional[int] = ..., seed: _Optional[int] = ..., out_dir: _Optional[str] = ..., run_bytes: _Optional[int] = ..., queued: _Optional[int] = ..., queue_held: _Optional[str] = ..., entry_id: _Optional[int] = ..., role: _Optional[str] = ...) -> None: ...

class ExperimentList(_message.Message):
    __slots__ = ("experiments",)
    EXPERIMENTS_FIELD_NUMBER: _ClassVar[int]
    experiments: _containers.RepeatedCompositeFieldContainer[Experiment]
    def __init__(self, experiments: _Optional[_Iterable[_Union[Experiment, _Mapping]]] = ...) -> None: ...

class Experiment(_message.Message):
    __slots__ = ("name", "title", "schema_json")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_JSON_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    schema_json: str
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., schema_json: _Optional[str] = ...) -> None: ...

class RunRequest(_message.Message):
    __slots__ = ("experiment", "config_json", "overrides_json", "monitors_json")
    class OverridesJsonEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    CONFIG_JSON_FIELD_NUMBER: _ClassVar[int]
    OVERRIDES_JSON_FIELD_NUMBER: _ClassVar[int]
    MONITORS_JSON_FIELD_NUMBER: _ClassVar[int]
    experiment: str
    config_json: str
    overrides_json: _containers.ScalarMap[str, str]
    monitors_json: str
    def __init__(self, experiment: _Optional[str] = ..., config_json: _Optional[str] = ..., overrides_json: _Optional[_Mapping[str, str]] = ..., monitors_json: _Optional[str] = ...) -> None: ...

class FieldError(_message.Message):
    __slots__ = ("field", "message")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    field: str
    message: str
    def __init__(self, field: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("errors",)
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    errors: _containers.RepeatedCompositeFieldContainer[FieldError]
    def __init__(self, errors: _Optional[_Iterable[_Union[FieldError, _Mapping]]] = ...) -> None: ...

class StopRequest(_message.Message):
    __slots__ = ("kind",)
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CHECKPOINT: _ClassVar[StopRequest.Kind]
        NOW: _ClassVar[StopRequest.Kind]
        EMERGENCY: _ClassVar[StopRequest.Kind]
    CHECKPOINT: StopRequest.Kind
    NOW: StopRequest.Kind
    EMERGENCY: StopRequest.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    kind: StopRequest.Kind
    def __init__(self, kind: _Optional[_Union[StopRequest.Kind, str]] = ...) -> None: ...

class Parameter(_message.Message):
    __slots__ = ("name", "label", "unit", "value_json", "read_utc_s", "settable", "lower", "upper", "choices_json")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    VALUE_JSON_FIELD_NUMBER: _ClassVar[int]
    READ_UTC_S_FIELD_NUMBER: _ClassVar[int]
    SETTABLE_FIELD_NUMBER: _ClassVar[int]
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    CHOICES_JSON_FIELD_NUMBER: _ClassVar[int]
    name: str
    label: str
    unit: str
    value_json: str
    read_utc_s: float
    settable: bool
    lower: float
    upper: float
    choices_json: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., label: _Optional[str] = ..., unit: _Optional[str] = ..., value_json: _Optional[str] = ..., read_utc_s: _Optional[float] = ..., settable: _Optional[bool] = ..., lower: _Optional[float] = ..., upper: _Optional[float] = ..., choices_json: _Optional[_Iterable[str]] = ...) -> None: ...

class Instrument(_message.Message):
    __slots__ = ("name", "kind", "parameters", "failure", "answered_utc_s")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_UTC_S_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    parameters: _containers.RepeatedCompositeFieldContainer[Parameter]
    failure: str
    answered_utc_s: float
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., parameters: _Optional[_Iterable[_Union[Parameter, _Mapping]]] = ..., failure: _Optional[str] = ..., answered_utc_s: _Optional[float] = ...) -> None: ...

class InstrumentTree(_message.Message):
    __slots__ = ("instruments", "now_utc_s")
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    NOW_UTC_S_FIELD_NUMBER: _ClassVar[int]
    instruments: _containers.RepeatedCompositeFieldContainer[Instrument]
    now_utc_s: float
    def __init__(self, instruments: _Optional[_Iterable[_Union[Instrument, _Mapping]]] = ..., now_utc_s: _Optional[float] = ...) -> None: ...

class SetParameterRequest(_message.Message):
    __slots__ = ("name", "value_json")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_JSON_FIELD_NUMBER: _ClassVar[int]
    name: str
    value_json: str
    def __init__(self, name: _Optional[str] = ..., value_json: _Optional[str] = ...) -> None: ...

class ReadParameterRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DocumentsRequest(_message.Message):
    __slots__ = ("since",)
    SINCE_FIELD_NUMBER: _ClassVar[int]
    since: int
    def __init__(self, since: _Optional[int] = ...) -> None: ...

class Document(_message.Message):
    __slots__ = ("index", "utc_s", "json")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    UTC_S_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    index: int
    utc_s: float
    json: str
    def __init__(self, index: _Optional[int] = ..., utc_s: _Optional[float] = ..., json: _Optional[str] = ...) -> None: ...

class Plan(_message.Message):
    __slots__ = ("json",)
    JSON_FIELD_NUMBER: _ClassVar[int]
    json: str
    def __init__(self, json: _Optional[str] = ...) -> None: ...

class RunNote(_message.Message):
    __slots__ = ("run_id", "star", "note")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    STAR_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    star: bool
    note: str
    def __init__(self, run_id: _Optional[str] = ..., star: _Optional[bool] = ..., note: _Optional[str] = ...) -> None: ...

class RunSummary(_message.Message):
    __slots__ = ("run_id", "path", "experiment", "status", "created_utc", "simulated", "size_bytes", "star", "note", "results_json")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATED_UTC_FIELD_NUMBER: _ClassVar[int]
    SIMULATED_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    STAR_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    RESULTS_JSON_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    path: str
    experiment: str
    status: str
    created_utc: str
    simulated: bool
    size_bytes: int
    star: bool
    note: str
    results_json: str
    def __init__(self, run_id: _Optional[str] = ..., path: _Optional[str] = ..., experiment: _Optional[str] = ..., status: _Optional[str] = ..., created_utc: _Optional[str] = ..., simulated: _Optional[bool] = ..., size_bytes: _Optional[int] = ..., star: _Optional[bool] = ..., note: _Optional[str] = ..., results_json: _Optional[str] = ...) -> None: ...

class RunList(_message.Message):
    __slots__ = ("runs",)
    RUNS_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[RunSummary]
    def __init__(self, runs: _Optional[_Iterable[_Union[RunSummary, _Mapping]]] = ...) -> None: ...

class RunSelection(_message.Message):
    __slots__ = ("run_ids",)
    RUN_IDS_FIELD_NUMBER: _ClassVar[int]
    run_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, run_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ReportFile(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class RecordedRequest(_message.Message):
    __slots__ = ("run_id", "pace")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    PACE_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    pace: float
    def __init__(self, run_id: _Optional[str] = ..., pace: _Optional[float] = ...) -> None: ...

class CorrelateRequest(_message.Message):
    __slots__ = ("run_id", "source", "channel_a", "channel_b", "bin_ps", "range_ps")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_A_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_B_FIELD_NUMBER: _ClassVar[int]
    BIN_PS_FIELD_NUMBER: _ClassVar[int]
    RANGE_PS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    source: str
    channel_a: str
    channel_b: str
    bin_ps: int
    range_ps: int
    def __init__(self, run_id: _Optional[str] = ..., source: _Optional[str] = ..., channel_a: _Optional[str] = ..., channel_b: _Optional[str] = ..., bin_ps: _Optional[int] = ..., range_ps: _Optional[int] = ...) -> None: ...

class Histogram(_message.Message):
    __slots__ = ("lag_ps", "counts", "bin_ps")
    LAG_PS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    BIN_PS_FIELD_NUMBER: _ClassVar[int]
    lag_ps: _containers.RepeatedScalarFieldContainer[int]
    counts: _containers.RepeatedScalarFieldContainer[int]
    bin_ps: int
    def __init__(self, lag_ps: _Optional[_Iterable[int]] = ..., counts: _Optional[_Iterable[int]] = ..., bin_ps: _Optional[int] = ...) -> None: ...

class SubmitRequest(_message.Message):
    __slots__ = ("run", "priority", "due_utc_s", "repeats", "batch", "operator", "resume_path")
    RUN_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    DUE_UTC_S_FIELD_NUMBER: _ClassVar[int]
    REPEATS_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    RESUME_PATH_FIELD_NUMBER: _ClassVar[int]
    run: RunRequest
    priority: int
    due_utc_s: float
    repeats: int
    batch: str
    operator: str
    resume_path: str
    def __init__(self, run: _Optional[_Union[RunRequest, _Mapping]] = ..., priority: _Optional[int] = ..., due_utc_s: _Optional[float] = ..., repeats: _Optional[int] = ..., batch: _Optional[str] = ..., operator: _Optional[str] = ..., resume_path: _Optional[str] = ...) -> None: ...

class SubmitReply(_message.Message):
    __slots__ = ("errors", "entry")
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    errors: _containers.RepeatedCompositeFieldContainer[FieldError]
    entry: QueueEntry
    def __init__(self, errors: _Optional[_Iterable[_Union[FieldError, _Mapping]]] = ..., entry: _Optional[_Union[QueueEntry, _Mapping]] = ...) -> None: ...

class QueueEntry(_message.Message):
    __slots__ = ("id", "experiment", "config_json", "overrides_json", "priority", "due_utc_s", "repeats", "played", "batch", "operator", "state", "submitted_utc_s", "started_utc_s", "ended_utc_s", "run_path", "reason", "resume_path", "calibration", "monitors_json")
    ID_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    CONFIG_JSON_FIELD_NUMBER: _ClassVar[int]
    OVERRIDES_JSON_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    DUE_UTC_S_FIELD_NUMBER: _ClassVar[int]
    REPEATS_FIELD_NUMBER: _ClassVar[int]
    PLAYED_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_UTC_S_FIELD_NUMBER: _ClassVar[int]
    STARTED_UTC_S_FIELD_NUMBER: _ClassVar[int]
    ENDED_UTC_S_FIELD_NUMBER: _ClassVar[int]
    RUN_PATH_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RESUME_PATH_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    MONITORS_JSON_FIELD_NUMBER: _ClassVar[int]
    id: int
    experiment: str
    config_json: str
    overrides_json: str
    priority: int
    due_utc_s: float
    repeats: int
    played: int
    batch: str
    operator: str
    state: str
    submitted_utc_s: float
    started_utc_s: float
    ended_utc_s: float
    run_path: str
    reason: str
    resume_path: str
    calibration: str
    monitors_json: str
    def __init__(self, id: _Optional[int] = ..., experiment: _Optional[str] = ..., config_json: _Optional[str] = ..., overrides_json: _Optional[str] = ..., priority: _Optional[int] = ..., due_utc_s: _Optional[float] = ..., repeats: _Optional[int] = ..., played: _Optional[int] = ..., batch: _Optional[str] = ..., operator: _Optional[str] = ..., state: _Optional[str] = ..., submitted_utc_s: _Optional[float] = ..., started_utc_s: _Optional[float] = ..., ended_utc_s: _Optional[float] = ..., run_path: _Optional[str] = ..., reason: _Optional[str] = ..., resume_path: _Optional[str] = ..., calibration: _Optional[str] = ..., monitors_json: _Optional[str] = ...) -> None: ...

class QueueFilter(_message.Message):
    __slots__ = ("finished", "batch")
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    finished: bool
    batch: str
    def __init__(self, finished: _Optional[bool] = ..., batch: _Optional[str] = ...) -> None: ...

class QueueList(_message.Message):
    __slots__ = ("entries", "held")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[QueueEntry]
    held: str
    def __init__(self, entries: _Optional[_Iterable[_Union[QueueEntry, _Mapping]]] = ..., held: _Optional[str] = ...) -> None: ...

class MoveRequest(_message.Message):
    __slots__ = ("id", "before")
    ID_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    id: int
    before: int
    def __init__(self, id: _Optional[int] = ..., before: _Optional[int] = ...) -> None: ...

class PriorityRequest(_message.Message):
    __slots__ = ("id", "priority")
    ID_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    id: int
    priority: int
    def __init__(self, id: _Optional[int] = ..., priority: _Optional[int] = ...) -> None: ...

class EntrySelection(_message.Message):
    __slots__ = ("ids", "batch")
    IDS_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[int]
    batch: str
    def __init__(self, ids: _Optional[_Iterable[int]] = ..., batch: _Optional[str] = ...) -> None: ...

class HoldRequest(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class InstrumentName(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class Calibration(_message.Message):
    __slots__ = ("name", "level", "needs", "experiment", "figure", "state", "reason", "estimate_json", "taken_utc_s", "expires_after_s", "run_path")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    NEEDS_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    FIGURE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_JSON_FIELD_NUMBER: _ClassVar[int]
    TAKEN_UTC_S_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AFTER_S_FIELD_NUMBER: _ClassVar[int]
    RUN_PATH_FIELD_NUMBER: _ClassVar[int]
    name: str
    level: int
    needs: _containers.RepeatedScalarFieldContainer[str]
    experiment: str
    figure: str
    state: str
    reason: str
    estimate_json: str
    taken_utc_s: float
    expires_after_s: float
    run_path: str
    def __init__(self, name: _Optional[str] = ..., level: _Optional[int] = ..., needs: _Optional[_Iterable[str]] = ..., experiment: _Optional[str] = ..., figure: _Optional[str] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., estimate_json: _Optional[str] = ..., taken_utc_s: _Optional[float] = ..., expires_after_s: _Optional[float] = ..., run_path: _Optional[str] = ...) -> None: ...

class CalibrationList(_message.Message):
    __slots__ = ("calibrations",)
    CALIBRATIONS_FIELD_NUMBER: _ClassVar[int]
    calibrations: _containers.RepeatedCompositeFieldContainer[Calibration]
    def __init__(self, calibrations: _Optional[_Iterable[_Union[Calibration, _Mapping]]] = ...) -> None: ...

class CalibrateRequest(_message.Message):
    __slots__ = ("names",)
    NAMES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...
