"""The smallest cluster: munge, slurmctld and two slurmd on loopback, without systemd; needs root."""
from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

PORTS = {"controller": 26817, "n1": 26819, "n2": 26820}


def age(process: int) -> float:
    """Seconds since a process that is there was started."""
    started = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


class Cluster:
    """Two nodes of one core each in `folder`, which is short enough for a socket's name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        (folder / "spool").mkdir()
        key = folder / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        host = socket.gethostname().split(".")[0]
        nodes = "\n".join(
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={PORTS[name]} CPUs=1 RealMemory=2000 State=UNKNOWN"
            for name in ("n1", "n2"))
        self.configuration = folder / "slurm.conf"
        self.configuration.write_text(f"""ClusterName=t
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={PORTS["controller"]}
SlurmUser=root
SlurmdUser=root
MailProg=/bin/true
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock,cred_expire=5
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/ctl.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/ctl.log
SlurmdLogFile={folder}/%n.log
ReturnToService=2
SlurmdTimeout=10
KillWait=5
SchedulerParameters=sched_interval=1,bf_interval=1
MaxArraySize=10001
{nodes}
PartitionName=hsp Nodes=ALL Default=YES MaxTime=INFINITE State=UP
""")
        self.environment = {**os.environ, "SLURM_CONF": str(self.configuration)}
        self.run(
            "munged", "--force", f"--socket={folder}/munge.sock", f"--key-file={key}", f"--pid-file={folder}/munge.pid",
            f"--log-file={folder}/munge.log", f"--seed-file={folder}/seed")
        self.start_controller()
        for node in ("n1", "n2"):
            self.start_node(node)
        self.wait(lambda: self.run("sinfo", "-h", "-o", "%t").split() == ["idle"], "two idle nodes")

    def run(self, *command: str) -> str:
        done = subprocess.run(command, env=self.environment, text=True, capture_output=True, timeout=60)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def start_controller(self) -> None:
        self.run("slurmctld", "-f", str(self.configuration))

    def start_node(self, name: str) -> None:
        self.run("slurmd", "-f", str(self.configuration), "-N", name)

    def pid(self, name: str) -> int:
        return int((self.folder / f"{name}.pid").read_text())

    def kill(self, name: str) -> None:
        os.kill(self.pid(name), signal.SIGKILL)

    def processes(self, node: str) -> list[int]:
        """What was started on a node, but for its daemon."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                environment = (entry / "environ").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if f"SLURMD_NODENAME={node}".encode() in environment and f"SLURM_CONF={self.configuration}".encode() in environment:
                found.append(int(entry.name))
        return found

    def kill_node(self, name: str) -> None:
        """The node as if its power had failed: its daemon and all that runs there."""
        self.kill(name)
        for process in self.processes(name):
            self.signal(process, signal.SIGKILL)

    def hold_beginning_task(self, node: str) -> list[int]:
        """Stops what runs on a node while its task has just begun, and so has published nothing. Gives its processes, for `release`."""
        held: list[int] = []

        def began() -> bool:
            found = [process for process in self.processes(node) if self.signal(process, signal.SIGSTOP)]
            if found and min(age(process) for process in found) < 0.5:
                held.extend(found)
            else:
                self.release(found)
            return bool(held)

        self.wait(began, f"a task that begins on {node}")
        return held

    def release(self, processes: list[int]) -> None:
        for process in processes:
            self.signal(process, signal.SIGCONT)

    @staticmethod
    def signal(process: int, number: int) -> bool:
        """False where the process has ended."""
        try:
            os.kill(process, number)
        except ProcessLookupError:
            return False
        return True

    def queue(self) -> list[list[str]]:
        """State and node of each task."""
        return [line.split("|") for line in self.run("squeue", "-h", "-r", "-o", "%T|%N").splitlines()]

    def wait_for_saved_state(self) -> None:
        """Until the controller has just written its state. What it has not written when it is killed it gives out again, under numbers
        that run already, and drains the nodes that refuse that."""
        state = self.folder / "state/job_state"
        before = state.stat().st_mtime_ns
        deadline = time.monotonic() + 60
        while state.stat().st_mtime_ns == before:
            assert time.monotonic() < deadline, "the controller writes no state"
            time.sleep(0.01)

    @staticmethod
    def wait(condition, what: str, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited too long for {what}"
            time.sleep(0.1)

    def stop(self) -> None:
        for name in ("n1", "n2", "ctl", "munge"):
            try:
                if name != "munge":
                    self.kill_node(name)
                else:
                    self.kill(name)
            except (FileNotFoundError, ProcessLookupError, ValueError):
                pass
