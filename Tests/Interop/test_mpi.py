"""Training and measuring by several processes of Open MPI over loopback: the same bits as by one."""
from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

PROGRAM = os.environ["HSPSAM_BIN"]
MPIRUN = ["mpirun", "--allow-run-as-root", "--oversubscribe", "--mca", "btl", "self,tcp", "--mca", "btl_tcp_if_include", "lo"]
# 17 images of 24 train: the last step of an epoch has one batch for all processes.
PLAN = """
model: {{size: nano, configuration: scratch, stem: conv, input_size: 64, segments: 1}}
data: [{{images: pairs/images, masks: pairs/masks}}]
splits: {{folds: 4, fold: 0}}
validation: {{every: 1}}
similar_images: allow
stages:
  - {{input_size: 64, epochs: {epochs}, batch: 2, accumulate: 4, learning_rate: 1.0e-3}}
optimiser: {{warmup: 2, ema: 0.9}}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert shutil.which("mpirun"), "missing: mpirun. deploy/setup.sh --tests installs it"
    folder = tmp_path_factory.mktemp("mpi")
    subprocess.run([PROGRAM, "phantom", "body", "--pairs", "24", "--out", folder / "pairs"], check=True)
    for name, epochs in (("short", 3), ("long", 40)):
        (folder / f"{name}.yaml").write_text(PLAN.format(epochs=epochs))
    return folder


def train(place: Path, plan: str, out: str, ranks: int = 1, *options: str) -> subprocess.Popen[str]:
    start = [*MPIRUN, "-np", str(ranks)] if ranks > 1 else []
    command = [*start, PROGRAM, "train", "--config", f"{plan}.yaml", "--out", out, "--threads", "1", *options]
    return subprocess.Popen(
        command, cwd=place, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)


def weights(place: Path, out: str) -> str:
    return hashlib.sha256((place / out / "weights.safetensors").read_bytes()).hexdigest()


def test_any_number_of_processes_makes_the_same_weights(place: Path) -> None:
    digests = set()
    for ranks in (1, 2, 4):
        run = train(place, "short", f"short-{ranks}", ranks)
        text, _ = run.communicate(timeout=120)
        assert run.returncode == 0, text
        assert text.count("model written") == 1
        digests.add(weights(place, f"short-{ranks}"))
    assert len(digests) == 1


def processes(group: int) -> list[int]:
    """The training processes below an mpirun."""
    listed = subprocess.run(["ps", "-eo", "pid=,sid=,comm="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    return sorted(int(pid) for pid, session, name in rows if int(session) == group and name.startswith("hspsam"))


def test_a_killed_process_ends_the_run_and_another_number_goes_on_to_the_same_weights(place: Path) -> None:
    assert train(place, "long", "straight").wait(timeout=120) == 0
    run = train(place, "long", "broken", 2)
    deadline = time.monotonic() + 60
    while not (place / "broken" / "checkpoint.safetensors").exists():
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(processes(run.pid)[-1], signal.SIGKILL)
    killed = time.monotonic()
    text, _ = run.communicate(timeout=60)
    assert run.returncode == 137, text
    assert time.monotonic() - killed < 20
    assert not (place / "broken" / "SHA256SUMS").exists()
    resumed = train(place, "long", "broken", 4, "--resume")
    text, _ = resumed.communicate(timeout=120)
    assert resumed.returncode == 0 and "continuing stage" in text, text
    assert weights(place, "straight") == weights(place, "broken")


def test_more_processes_than_batches_are_refused_once(place: Path) -> None:
    run = train(place, "short", "refused", 5)
    text, _ = run.communicate(timeout=60)
    assert run.returncode == 2 and text.count("TRAIN-RANKS") == 1, text


def test_another_mpi_is_named(place: Path) -> None:
    run = subprocess.run(
        [PROGRAM, "train", "--config", "short.yaml", "--out", "other"], cwd=place, capture_output=True, text=True,
        env={**os.environ, "PMI_SIZE": "2"})
    assert run.returncode == 2 and run.stderr.startswith("USE-MPI"), run.stderr


def test_files_are_measured_by_several_processes_as_by_one(place: Path) -> None:
    tables = []
    for ranks in (1, 3):
        start = [*MPIRUN, "-np", str(ranks)] if ranks > 1 else []
        command = [
            *start, PROGRAM, "evaluate", "--model", "short-1", "--images", "pairs/images", "--masks", "pairs/masks",
            "--instances", "--csv", f"{ranks}.csv", "--worst", f"{ranks}.html", "--threads", "1"]
        run = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=120, check=True)
        assert run.stdout.count(": Dice") == 26, run.stdout
        tables.append([(place / f"{ranks}.{kind}").read_bytes() for kind in ("csv", "html")])
    assert tables[0] == tables[1]


def test_processes_that_see_different_runs_are_refused(place: Path) -> None:
    script = 'exec "$0" train --config $([ $OMPI_COMM_WORLD_RANK = 0 ] && echo short || echo long).yaml --out differ --threads 1'
    run = subprocess.run(
        [*MPIRUN, "-np", "2", "bash", "-c", script, PROGRAM], cwd=place, capture_output=True, text=True, timeout=60)
    assert run.returncode == 2 and "USE-MPI" in run.stderr, run.stderr
    assert not (place / "differ" / "checkpoint.safetensors").exists()


def test_processes_under_different_instruction_sets_are_refused(place: Path) -> None:
    script = 'export HSPSAM_ISA=$([ $OMPI_COMM_WORLD_RANK = 0 ] && echo portable || echo avx2); ' \
        'exec "$0" train --config short.yaml --out mixed --threads 1'
    run = subprocess.run(
        [*MPIRUN, "-np", "2", "bash", "-c", script, PROGRAM], cwd=place, capture_output=True, text=True, timeout=60)
    assert run.returncode == 2 and "TRAIN-RANKS" in run.stderr and "avx2, portable" in run.stderr, run.stderr
    assert not (place / "mixed" / "checkpoint.safetensors").exists()


def test_a_single_process_of_mpirun_ends_well(place: Path) -> None:
    run = subprocess.run(
        [*MPIRUN, "-np", "1", PROGRAM, "train", "--config", "short.yaml", "--out", "alone", "--threads", "1"], cwd=place,
        capture_output=True, text=True, timeout=60)
    assert run.returncode == 0 and "abnormal" not in run.stderr + run.stdout, run.stderr
    assert weights(place, "alone") == weights(place, "short-1")


def test_a_user_signal_stops_all_processes_after_the_same_step(place: Path) -> None:
    run = train(place, "long", "stopped", 2)
    deadline = time.monotonic() + 60
    while not (place / "stopped" / "checkpoint.safetensors").exists():
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    run.send_signal(signal.SIGUSR1)
    text, _ = run.communicate(timeout=60)
    assert run.returncode == 130 and "stopped; the same command" in text, text
    resumed = train(place, "long", "stopped", 1, "--resume")
    text, _ = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, text
    assert weights(place, "stopped") == weights(place, "straight")
