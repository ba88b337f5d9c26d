"""Prints a table from the measurements that compare.sh collected: ratios.py FOLDER CASE..."""
from __future__ import annotations

import json
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path


def measured(folder: Path, case: str, who: str) -> tuple[float, float, float, dict]:
    """Best and median of the rounds in seconds, peak memory in GB, and one of the objects."""
    rounds = [json.loads(path.read_text()) for path in sorted(folder.glob(f"{case}.{who}.*"))]
    return (min(one["seconds_min"] for one in rounds), statistics.median(one["seconds_median"] for one in rounds),
            max(one["peak_rss_bytes"] for one in rounds) / 1e9, rounds[0])


def main() -> None:
    folder, cases = Path(sys.argv[1]), sys.argv[2:]
    processor = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                      if line.startswith("model name")), "unknown processor")
    rows = []
    for case in cases:
        best, median, memory, ours = measured(folder, case, "ours")
        peer_best, peer_median, peer_memory, peer = measured(folder, case, "peer")
        rows.append(
            f"| {case.replace(',', ' ')} | {best:.3f} / {median:.3f} | {memory:.2f} | {peer_best:.3f} / {peer_median:.3f} "
            f"| {peer_memory:.2f} | {best / peer_best:.2f} |")
    print(f"{processor}, {ours['isa']}, {ours['threads']} threads, {datetime.now(UTC):%Y-%m-%d}; peer: {peer['engine']}\n")
    print("| size, what, input, batch, precision | ours: best / median, s | peak, GB | peer: best / median, s | peak, GB | ours : peer |")
    print("|---|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
