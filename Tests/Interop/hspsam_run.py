"""Calls the program as a person would, and reads what it leaves."""
from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Call(NamedTuple):
    """What a call of the program came to."""

    status: int  # negative: the signal that ended it
    errors: str
    seconds: float
    peak_bytes: int


class Run(NamedTuple):
    """A finished `hspsam run`."""

    folder: Path
    record: dict[str, Any]
    call: Call

    def results(self) -> list[tuple[dict[str, Any], Path]]:
        """Every result that has a SEG, with its file."""
        return [(r, self.folder / r["file"]) for r in self.record["results"] if r["file"]]

    def segmentations(self) -> list[Path]:
        return [path for _, path in self.results()]

    def objects(self) -> list[Path]:
        """Every DICOM object of every result."""
        return [self.folder / one["file"] for result in self.record["results"] for one in result["objects"]]

    def pages(self) -> list[Path]:
        return sorted(self.folder.rglob("*.html"))


def program() -> str:
    return os.environ["HSPSAM_BIN"]


def call(*arguments: object, timeout: float = 600) -> Call:
    """Calls the program; at `timeout` seconds it is killed, which shows as status -9."""
    start = time.monotonic()
    with subprocess.Popen(
        [program(), *map(str, arguments)], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, errors="replace",
    ) as process:
        assert process.stderr is not None
        killer = threading.Timer(timeout, process.kill)
        killer.start()
        errors = process.stderr.read()
        # wait4 and not wait: it tells this child's own peak memory.
        _, status, usage = os.wait4(process.pid, 0)
        killer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    return Call(process.returncode, errors, time.monotonic() - start, usage.ru_maxrss * 1024)


def run(inputs: list[Path], folder: Path, *options: object, timeout: float = 600) -> Run:
    result = call("run", *inputs, "--out", folder, *options, timeout=timeout)
    record = folder / "run.json"
    assert record.exists(), f"no run.json, status {result.status}: {result.errors[-2000:]}"
    return Run(folder, json.loads(record.read_text()), result)


def files_below(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
