"""The service on a cluster under Slurm: two nodes on loopback, and everything that can die does."""
from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from hspsam_run import ROOT
from slurm_cluster import Cluster

PROGRAM = os.environ["HSPSAM_BIN"]
STUDIES = 12
SITE = """
inbox: {{path: {spool}/inbox, scan: 1s}}
settle: {{quiet: 0s}}
places: {{spool: {spool}, state: {state}, pipelines: {pipelines}}}
reserve: 1MiB
worker: {{threads: 1, self_test: false}}
metrics: {{textfile: {spool}/hspsam.prom, every: 1s}}
cluster: {{engine: {engine}, partition: hsp, tasks: {tasks}, memory: 900MiB, pack: {pack}, lost_after: 10s, poll: 1s}}
"""

STATES = ["queued", "running", "retry", "publishing", "published", "done", "quarantined", "cancelled"]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="slurmd and munged want root")


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory):
    """A new one for each test: a controller that was killed gives out the numbers of its last jobs again, and nodes refuse those."""
    missing = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if not shutil.which(name)]
    assert not missing, f"missing: {missing}. deploy/setup.sh --tests installs them"
    made = Cluster(tmp_path_factory.mktemp("slurm"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    for seed in range(STUDIES):
        subprocess.run([PROGRAM, "phantom", "body", "--seed", str(seed), "--out", folder / f"study-{seed}"], check=True)
        shutil.rmtree(folder / f"study-{seed}.truth")
    return folder


class Site:
    """A spool with a site file, and the programs that work on it."""

    def __init__(
        self, folder: Path, cluster: Cluster | None, pack: str = "1s", tasks: int = STUDIES, spool: Path | None = None
    ) -> None:
        self.spool = spool or folder / "spool"
        (self.spool / "inbox").mkdir(parents=True)
        self.file = folder / "site.yaml"
        self.file.write_text(
            SITE.format(
                spool=self.spool, state=folder / "state", pipelines=ROOT / "pipelines", pack=pack, tasks=tasks,
                engine="slurm" if cluster else "none"))
        self.environment = cluster.environment if cluster else dict(os.environ)
        self.log = folder / "log"

    def drop(self, studies: Path, count: int = STUDIES) -> None:
        for seed in range(count):
            shutil.copytree(studies / f"study-{seed}", self.spool / f".study-{seed}")
            (self.spool / f".study-{seed}").rename(self.spool / "inbox" / f"study-{seed}")

    def start(self, command: str = "batch") -> subprocess.Popen[str]:
        with self.log.open("a") as log:
            return subprocess.Popen(
                [PROGRAM, command, "--config", self.file], env=self.environment, stdout=log, stderr=log, text=True)

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *arguments, "--config", self.file], env=self.environment, text=True, capture_output=True)

    def status(self) -> dict:
        done = self.ask("status", "--json")
        # A ledger that is being made is none yet.
        return json.loads(done.stdout) if done.stdout else {"cluster": None, "jobs": dict.fromkeys(STATES, 0)}

    def results(self) -> list[Path]:
        return sorted((self.spool / "outbox").glob("*/*/report.json"))

    def digests(self) -> dict[str, str]:
        """Every DICOM object of the outbox, by its path there."""
        outbox = self.spool / "outbox"
        return {
            str(path.relative_to(outbox)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in outbox.rglob("*.dcm")
        }

    def jobs(self) -> list[dict]:
        return [json.loads(self.ask("show", "--json", job["job"]).stdout) for job in json.loads(self.ask("jobs", "--json").stdout)]

    def hosts(self) -> set[str | None]:
        return {job["attempts"][-1]["host"] for job in self.jobs()}

    def text(self) -> str:
        return self.log.read_text()

    def check_all_done(self, expected: dict[str, str]) -> None:
        """Nothing lost, nothing double, nothing else than one machine makes."""
        assert self.digests() == expected, self.text()
        assert len(self.results()) == STUDIES
        assert not list(self.spool.rglob("*.replaced-*"))
        assert not list((self.spool / "work").iterdir()) and not list((self.spool / "cluster/arrays").iterdir())
        counts = self.status()["jobs"]
        assert counts["done"] == STUDIES and sum(counts.values()) == STUDIES, counts
        results = [result["path"] for job in self.jobs() for result in job["results"]]
        assert len(results) == len(set(results)) == STUDIES


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, studies: Path) -> dict[str, str]:
    """What one machine makes of the studies."""
    site = Site(tmp_path_factory.mktemp("alone"), None)
    site.drop(studies)
    batch = site.start()
    assert batch.wait(timeout=300) == 0, site.text()
    digests = site.digests()
    assert len(digests) >= STUDIES
    return digests


@pytest.fixture
def site(tmp_path: Path, cluster: Cluster, studies: Path) -> Site:
    made = Site(tmp_path, cluster)
    made.drop(studies)
    return made


def test_an_array_over_two_nodes_gives_the_bytes_of_one_machine(
    site: Site, cluster: Cluster, expected: dict[str, str]
) -> None:
    batch = site.start()
    seen: set[str] = set()
    told: set[str] = set()
    while batch.poll() is None:
        seen |= {node for state, node in cluster.queue() if state == "RUNNING"}
        told |= set((site.status()["cluster"] or {}).get("nodes", []))
        time.sleep(0.2)
    assert batch.returncode == 0, site.text()
    assert seen == {"n1", "n2"} and told == {"n1", "n2"}
    site.check_all_done(expected)
    assert site.hosts() == {"n1", "n2"}
    assert site.status()["needs_person"] == []
    metrics = (site.spool / "hspsam.prom").read_text()
    assert "hspsam_cluster_up 1" in metrics
    assert "Cluster: 0 tasks running" in (site.spool / "outbox/index.html").read_text()


def test_many_studies_to_a_task_give_the_same(
    tmp_path: Path, cluster: Cluster, studies: Path, expected: dict[str, str]
) -> None:
    site = Site(tmp_path, cluster, pack="10m")
    site.drop(studies)
    assert site.start().wait(timeout=300) == 0, site.text()
    site.check_all_done(expected)


def test_the_controller_killed_in_mid_array_loses_nothing(
    tmp_path: Path, cluster: Cluster, studies: Path, expected: dict[str, str]
) -> None:
    site = Site(tmp_path, cluster)
    site.drop(studies)
    # One array.
    assert site.ask("pause").returncode == 0
    watch = site.start("watch")
    try:
        cluster.wait(lambda: site.text().count('"TAKEN"') == STUDIES, "all drops")
        assert site.ask("resume").returncode == 0
        cluster.wait(lambda: len(site.results()) >= 1, "a result")
        held = cluster.hold_beginning_task("n2")
        cluster.wait_for_saved_state()
        before = len(site.results())
        assert before < STUDIES
        cluster.kill("ctl")
        cluster.release(held)
        # What runs goes on, and is published, while there is no controller.
        cluster.wait(lambda: len(site.results()) > before, "a result without a controller")
        time.sleep(3)
        cluster.start_controller()
        cluster.wait(lambda: site.status()["jobs"]["done"] == STUDIES, "all results")
    finally:
        watch.send_signal(signal.SIGTERM)
        assert watch.wait(timeout=60) == 0, site.text()
    site.check_all_done(expected)


def test_a_node_that_dies_loses_nothing(site: Site, cluster: Cluster, expected: dict[str, str]) -> None:
    batch = site.start()
    cluster.wait(
        lambda: ["RUNNING", "n2"] in cluster.queue() and len(site.results()) >= 1 or batch.poll() is not None,
        "a task on n2")
    cluster.kill_node("n2")
    assert batch.wait(timeout=300) == 0, site.text()
    site.check_all_done(expected)
    # The rest was made by the other one.
    assert "n1" in site.hosts()


def test_the_coordinator_killed_again_and_again_loses_nothing(
    site: Site, cluster: Cluster, expected: dict[str, str]
) -> None:
    for results in (1, 4, 7):
        watch = site.start("watch")
        cluster.wait(lambda: len(site.results()) >= results or watch.poll() is not None, f"{results} results")
        watch.kill()
        watch.wait()
    # Tasks run on while nobody coordinates.
    time.sleep(3)
    assert site.start().wait(timeout=300) == 0, site.text()
    site.check_all_done(expected)
    assert all(len(job["attempts"]) == 1 for job in site.jobs()), "an attempt was made twice"


def test_a_cancelled_job_is_ended_on_its_node(tmp_path: Path, cluster: Cluster, studies: Path) -> None:
    site = Site(tmp_path, cluster)
    site.drop(studies, 3)
    watch = site.start("watch")
    try:
        cluster.wait(lambda: site.status()["jobs"]["running"] >= 1, "a running job")
        job = json.loads(site.ask("jobs", "--state", "running", "--json").stdout)[0]["job"]
        assert site.ask("cancel", job).returncode == 0
        cluster.wait(lambda: site.status()["jobs"]["cancelled"] + site.status()["jobs"]["done"] == 3, "the others")
        cluster.wait(lambda: not cluster.queue(), "an empty queue")
    finally:
        watch.send_signal(signal.SIGTERM)
        watch.wait()
    counts = site.status()["jobs"]
    assert counts["running"] == 0 and counts["cancelled"] + counts["done"] == 3


def test_what_slurm_refuses_is_told_and_waits(tmp_path: Path, cluster: Cluster, studies: Path) -> None:
    site = Site(tmp_path, cluster)
    site.file.write_text(site.file.read_text().replace("partition: hsp", "partition: nowhere"))
    site.drop(studies, 1)
    batch = site.start()
    assert batch.wait(timeout=60) == 3, site.text()
    status = site.status()
    assert status["jobs"]["queued"] == 1 and "CLUSTER-SUBMIT" in status["paused"], status
    assert "nvalid partition" in status["paused"]
    site.file.write_text(site.file.read_text().replace("partition: nowhere", "partition: hsp"))
    assert site.start().wait(timeout=60) == 0, site.text()
    assert len(site.results()) == 1 and site.status()["paused"] is None


def test_a_spool_without_rename_flags_such_as_nfs(
    tmp_path: Path, cluster: Cluster, studies: Path, expected: dict[str, str]
) -> None:
    real, mount = tmp_path / "real", tmp_path / "mount"
    real.mkdir(), mount.mkdir()
    if subprocess.run(["bindfs", real, mount], capture_output=True).returncode != 0:
        pytest.skip("bindfs cannot mount here (/dev/fuse)")
    try:
        site = Site(tmp_path, cluster, spool=mount / "spool")
        site.drop(studies)
        assert site.start().wait(timeout=300) == 0, site.text()
        site.check_all_done(expected)
        for _ in range(2):
            done = subprocess.run(
                [PROGRAM, "run", studies / "study-0", "--out", mount / "out", "--pipelines", ROOT / "pipelines"],
                text=True, capture_output=True)
            assert done.returncode == 0, done.stderr
        assert not list((mount / "out").glob("*.aside"))
    finally:
        subprocess.run(["fusermount", "-u", mount], check=True)
