#!/usr/bin/env python3
"""Figures of the service on a cluster (docs/cluster.md): Tests/Soak/cluster.py PROGRAM [jobs|slurm]

jobs: a thousand queued jobs with workers that only write a finished result, behind scripts in Slurm's place: what the coordinator
spends on every hundred of them. slurm: studies through two nodes on loopback, as root: what a task costs, two nodes against one.
"""
from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Interop"))
JOBS = 1000
STUDIES = 16
SITE = """
inbox: {{path: {spool}/inbox, scan: 1s}}
settle: {{quiet: 0s}}
places: {{spool: {spool}, state: {root}/state, pipelines: {pipelines}}}
reserve: 1MiB
worker: {{threads: 1, self_test: false}}
cluster: {{engine: slurm, tasks: {tasks}, memory: 900MiB, pack: {pack}, poll: 1s, lost_after: 1m{more}}}
"""
# Stands for sbatch, squeue and the nodes. The worker writes the result of a template under a name and a key of its own.
FAKE = r'''#!/usr/bin/env python3
import hashlib, json, os, pathlib, sys
here = pathlib.Path(sys.argv[0]).resolve().parent
name = pathlib.Path(sys.argv[0]).name
queue = here / "queue"
if name == "squeue":
    print("\n".join(entry.read_text() for entry in sorted(queue.iterdir())))
elif name == "sbatch":
    array = next(a for a in sys.argv if a.startswith("--job-name=")).split("=")[1]
    folder = pathlib.Path(sys.argv[-1])
    tasks = sorted(folder.glob("*.json"), key=lambda path: int(path.stem))
    for path in tasks:
        (queue / f"{array}.{path.stem}").write_text(f"{array}|1|{path.stem}|R|n1|None")
    if os.fork():
        print(1)
        sys.exit()
    os.setsid()
    for descriptor in (0, 1, 2):
        os.close(descriptor)
    template = here / "template"
    study = next(entry.name for entry in template.iterdir() if entry.is_dir())
    record = (template / "run.json").read_text()
    key = json.loads(record)["studies"][0]["key"]
    for path in tasks:
        for order in json.loads(path.read_text())["orders"]:
            new_key = hashlib.sha256(order["job"].encode()).hexdigest()
            new_study = new_key[:12]
            output = pathlib.Path(order["output"] + ".X")
            (output / new_study).mkdir(parents=True)
            for file in (template / study).iterdir():
                target = output / new_study / file.name
                if file.suffix == ".json":
                    target.write_text(file.read_text().replace(study, new_study).replace(key, new_key))
                elif file.is_file():
                    target.write_bytes(file.read_bytes())
            (output / "run.json").write_text(record.replace(study, new_study).replace(key, new_key))
            end = {"ending": {"how": {"exited": {"_0": 0}}, "timedOut": False, "stopped": False, "seconds": 1.0, "log": ""},
                   "node": "n1", "output": output.name, "isCancelled": False, "isLost": False}
            temporary = folder / "ends" / ("." + order["job"])
            temporary.write_text(json.dumps(end))
            temporary.rename(folder / "ends" / f"{order['job']}.{order['attempt']}.json")
        (queue / f"{array}.{path.stem}").unlink()
'''


def site(root: Path, pack: str, tasks: int, more: str = "") -> Path:
    (root / "spool/inbox").mkdir(parents=True)
    file = root / "site.yaml"
    file.write_text(
        SITE.format(spool=root / "spool", root=root, pipelines=ROOT / "pipelines", pack=pack, tasks=tasks, more=more))
    return file


def spent(pid: int) -> tuple[float, float]:
    """CPU seconds, and MiB in memory."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), pages * 4096 / 2**20


def jobs(program: str, root: Path) -> None:
    fake = root / "slurm"
    (fake / "queue").mkdir(parents=True)
    for name in ("sbatch", "squeue", "scancel"):
        (fake / name).write_text(FAKE)
        (fake / name).chmod(0o755)
    subprocess.run([program, "phantom", "dermoscopy", "--out", root / "phantom"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(
        [program, "run", root / "phantom", "--out", fake / "template", "--pipelines", ROOT / "pipelines", "--json"],
        check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    file = site(root, "20s", 8, f", programs: {fake}")
    for number in range(JOBS):
        folder = root / f"spool/inbox/drop-{number}"
        folder.mkdir()
        (folder / "image").write_text(str(number))
    begun = time.monotonic()
    batch = subprocess.Popen([program, "batch", "--config", file], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    marks: list[tuple[int, float, float, float]] = []
    while batch.poll() is None:
        done = sum(1 for _ in (root / "spool/outbox").glob("*/*/report.json")) if (root / "spool/outbox").exists() else 0
        if done // 100 > len(marks) or (done and not marks and done >= 100):
            try:
                marks.append((done, time.monotonic() - begun, *spent(batch.pid)))
            except (FileNotFoundError, IndexError):
                break
        time.sleep(0.05)
    print(batch.communicate()[0].strip(), f"exit {batch.returncode}, {time.monotonic() - begun:.1f} s")
    for before, (done, seconds, cpu, memory) in zip([(0, 0.0, 0.0, 0.0), *marks], marks):
        print(
            f"{done:5} published after {seconds:5.1f} s: {1000 * (seconds - before[1]) / (done - before[0]):6.1f} ms and "
            f"{1000 * (cpu - before[2]) / (done - before[0]):5.1f} ms of CPU a job, {memory:5.1f} MiB")


def slurm(program: str, root: Path) -> None:
    from slurm_cluster import Cluster

    cluster = Cluster(root / "slurm")
    try:
        studies = root / "studies"
        for seed in range(STUDIES):
            subprocess.run(
                [program, "phantom", "body", "--seed", str(seed), "--out", studies / f"study-{seed}"], check=True)
            shutil.rmtree(studies / f"study-{seed}.truth")
        before = ""
        for title, pack, tasks in (
            ("one node, all in one task", "1h", 1), ("one node, a task each", "1s", STUDIES),
            ("two nodes, half each", "1h", 2), ("two nodes, a task each", "1s", STUDIES)):
            state = "drain" if title.startswith("one") else "resume"
            if state != before:
                cluster.run("scontrol", "update", "nodename=n2", f"state={state}", "reason=one node")
            before = state
            run = root / title.replace(" ", "-").replace(",", "")
            file = site(run, pack, tasks)

            def ask(*arguments: str) -> str:
                return subprocess.run(
                    [program, *arguments, "--config", file], env=cluster.environment, text=True, capture_output=True).stdout

            shutil.copytree(studies, run / "spool/inbox", dirs_exist_ok=True)
            ask("pause")
            log = (run / "log").open("w")
            watch = subprocess.Popen([program, "watch", "--config", file], env=cluster.environment, stdout=log, stderr=log)
            while (run / "log").read_text().count('"TAKEN"') < STUDIES:
                time.sleep(0.1)
            ask("resume")
            begun = time.monotonic()
            while sum(1 for _ in (run / "spool/outbox").glob("*/*/report.json")) < STUDIES:
                time.sleep(0.05)
            seconds = time.monotonic() - begun
            shown = [json.loads(ask("show", "--json", job["job"])) for job in json.loads(ask("jobs", "--json"))]
            worked = sum(job["attempts"][-1]["seconds"] for job in shown)
            hosts = sorted({job["attempts"][-1]["host"] for job in shown})
            watch.terminate()
            watch.wait()
            print(f"{title}: {STUDIES} studies in {seconds:.1f} s, {worked:.1f} s of workers, on {', '.join(hosts)}")
    finally:
        cluster.stop()


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit(__doc__)
    chosen = sys.argv[2:] or ["jobs", "slurm"]
    for part in chosen:
        with tempfile.TemporaryDirectory(prefix="cluster-") as folder:
            {"jobs": jobs, "slurm": slurm}[part](str(Path(sys.argv[1]).resolve()), Path(folder))
