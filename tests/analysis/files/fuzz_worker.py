"""Reads mutants of a sound tag file: ``fuzz_worker.py FORMAT COUNT SEED FOLDER``, in a process of its own.

FORMAT is a suffix, or ``.ptu:CODE`` for one kind of PTU record.

A mutant must be refused with a DataError or UsageError, or give exactly what a plain reading of its bytes gives: for
run files, which guard every byte, that is the original; for the others an independent reader of a few lines below.
Prints how many were refused and how many read.
"""

import csv
import io
import struct
import sys
from pathlib import Path

import h5py
import numpy as np

from erbia.analysis.errors import UsageError
from erbia.analysis.files.ptu import write_ptu
from erbia.analysis.files.ptu_records import KINDS
from erbia.analysis.files.tagfile import WRITERS, read_tags
from erbia.analysis.files.tagstream import Grid, TagStream, ordered_blocks
from erbia.analysis.records import TimeTags


def sound_clicks():
    rng = np.random.default_rng(1)
    deltas = rng.integers(0, 4000, 700)
    deltas[::100] = 2**26
    return TimeTags(np.cumsum(deltas) * 125, rng.integers(1, 5, 700).astype(np.uint8))


def mutate(raw, rng):
    """One to four random changes: flipped bits, overwritten, inserted, removed, repeated or cut bytes."""
    data = bytearray(raw)
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(0, len(data) + 1))
        n = int(rng.integers(1, 20))
        noise = rng.integers(0, 256, n, dtype=np.uint8).tobytes()
        kind = int(rng.integers(0, 7))
        if kind <= 1 and at < len(data):
            data[at] ^= 1 << int(rng.integers(8))
        elif kind == 2:
            data[at : at + n] = noise
        elif kind == 3:
            data[at:at] = noise
        elif kind == 4:
            del data[at : at + n]
        elif kind == 5:
            data[at:at] = data[max(0, at - n) : at]
        elif rng.random() < 0.3:
            del data[at:]
    return bytes(data)


def plain_npy(raw):
    t_ps = np.load(io.BytesIO(raw))
    return t_ps, np.zeros(len(t_ps), np.uint8)


def plain_npz(raw):
    with np.load(io.BytesIO(raw)) as arrays:
        return arrays["t_ps"], arrays["channel"]


def plain_csv(raw):
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8", "replace"), newline="")))[1:]
    return [int(row[0]) for row in rows], [int(row[1]) for row in rows]


def plain_ptu(raw):
    """Every kind of record, one by one, after PicoQuant's description."""
    header, at = plain_header(raw)
    kind = struct.unpack("<q", header["TTResultFormat_TTTRRecType"])[0]
    t3 = kind >> 8 & 15 == 3
    sync = seconds_to_ps(header["MeasDesc_GlobalResolution"])
    fine = seconds_to_ps(header["MeasDesc_Resolution"]) if t3 else 0.0
    decode = plain_pico if kind & 255 == 3 else plain_hydra
    words = struct.iter_unpack("<I", raw[at:])
    clicks = [
        (ticks * int(sync) + round(ticks * (sync % 1) + dtime * fine), channel)
        for ticks, dtime, channel in decode(words, t3, kind)
    ]
    if t3:
        clicks.sort(key=lambda click: click[0])
    return [t for t, _ in clicks], [c for _, c in clicks]


def seconds_to_ps(value):
    """A whole number where it is one but for rounding."""
    ps = struct.unpack("<d", value)[0] * 1e12
    return round(ps) if abs(ps - round(ps)) < 1e-6 * ps else ps


def plain_header(raw):
    """Name -> 8 bytes of its value, and where the records begin. Tags of 48 bytes, texts and arrays behind theirs."""
    header, at = {}, 16
    while True:
        name, index, kind, value = struct.unpack_from("<32siI8s", raw, at)
        at += 48
        name = name.split(b"\0")[0].decode("latin-1")
        if name == "Header_End":
            return header, at
        if kind & 0xFFFF == 0xFFFF:
            at += struct.unpack("<q", value)[0]
        if index < 0:
            header[name] = value


def plain_hydra(words, t3, kind):
    """special 1 | channel 6 | time 25, or dtime 15 | nsync 10."""
    base, bits = 0, 10 if t3 else 25
    for (word,) in words:
        special, number, low = word >> 31, (word >> 25) & 63, word & (1 << bits) - 1
        if special and number == 63:
            counted = max(low, 1) if kind not in (0x00010204, 0x00010304) else 1
            base += (33552000 if kind == 0x00010204 else 1 << bits) * counted
            continue
        channel = 240 + number if special and number else 0 if special else number + 1
        yield base + low, (word >> bits & 0x7FFF) if t3 else 0, channel


def plain_pico(words, t3, kind):
    """channel 4 | time 28, or dtime 12 | nsync 16; the marker's bits are the lowest 4 of the time (T2) or dtime (T3)."""
    base, bits, last = 0, 16 if t3 else 28, 0
    for (word,) in words:
        number, low = word >> 28, word & (1 << bits) - 1
        dtime = word >> bits & 0xFFF if t3 else 0
        if number == 15:
            mark = (dtime if t3 else low) & 15
            if not mark:
                base += 1 << 16 if t3 else 210698240
                continue
            number, dtime = 240 + mark, 0
            if not t3:
                low = max(low - mark, last - base)
        last = base + low
        yield base + low, dtime, number


def plain_events(numbers):
    times, channels = [], []
    for number in numbers:
        for bit in range(4):
            if number >> bit & 1 and not number & 16:
                times.append(((number >> 10) * 250 + 32) // 64)
                channels.append(bit + 1)
    return times, channels


def plain_a1(raw):
    pairs = list(struct.iter_unpack("<II", raw))
    first, second = (plain_events([a << 32 | b for a, b in (p[::s] for p in pairs)]) for s in (1, -1))
    return first if first[0] == sorted(first[0]) else second


def plain_a2(raw):
    return plain_events([int(line, 16) for line in raw.split()])


def plain_photon(raw):
    with h5py.File(io.BytesIO(raw), "r") as file:
        unit = file["photon_data/timestamps_specs/timestamps_unit"][()] * 1e12
        detectors = file["photon_data/detectors"][:] if "detectors" in file["photon_data"] else None
        stamps = file["photon_data/timestamps"][:]
        t_ps = stamps * round(unit) if abs(unit - round(unit)) < 1e-6 * unit else None
        t_ps = stamps * int(unit) + np.rint(stamps * (unit % 1)).astype(np.int64) if t_ps is None else t_ps
        return t_ps, np.zeros(len(stamps), np.uint8) if detectors is None else detectors


def original(raw):
    clicks = sound_clicks()
    return clicks.t_ps, clicks.channel


PLAIN = {
    ".npy": plain_npy,
    ".npz": plain_npz,
    ".csv": plain_csv,
    ".ptu": plain_ptu,
    ".a1": plain_a1,
    ".a2": plain_a2,
    ".hdf5": plain_photon,
    ".h5": original,
}


def write_sound(name, sound):
    """A sound file of the format and the clicks that fit it."""
    suffix, _, code = name.partition(":")
    clicks = sound_clicks()
    if suffix == ".npy":
        clicks = TimeTags(clicks.t_ps, np.zeros(len(clicks), np.uint8))
    stream = TagStream("t", ordered_blocks([clicks], "t", sound))
    if code:
        kind = KINDS[int(code, 16)]
        write_ptu(sound, stream, kind, Grid(500.0, 125.0) if kind.mode == 3 else Grid(125.0))
    else:
        WRITERS[suffix](sound, stream)


def main(name, count, seed, folder):
    rng = np.random.default_rng(seed)
    suffix = name.partition(":")[0]
    sound = folder / f"sound{suffix}"
    write_sound(name, sound)
    raw, mutant = sound.read_bytes(), folder / f"mutant{suffix}"
    refused, lines = 0, 1
    for k in range(count):
        changed = mutate(raw, rng)
        mutant.write_bytes(changed)
        try:
            found = read_tags(mutant).tags
        except UsageError as error:
            refused += 1
            lines = max(lines, str(error).count("\n") + 1)
            continue
        t_ps, channel = PLAIN[suffix](changed)
        assert np.array_equal(found.t_ps, t_ps), f"mutant {k}: silently wrong times"
        assert np.array_equal(found.channel, channel), f"mutant {k}: silently wrong channels"
    assert lines == 1, "an error of more than one line"
    sys.stdout.write(f"{refused} {count - refused}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
