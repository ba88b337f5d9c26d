"""What a disk holds after a power cut, from a trace of strace -f -y -xx: durable.py TRACE BEFORE FOLDER (--until N | --all | --count)

FOLDER is where the traced program saw the tree that BEFORE is a copy of. A file's content is as old as its last fsync or fdatasync, a
folder's entries as old as its own last fsync: the strictest reading of POSIX. --until N lays FOLDER out as it stood after the N-th sync, --all as
if everything had been synced, --count prints how many syncs there were.
"""
from __future__ import annotations

import argparse
import re
from pathlib import Path


class File:
    def __init__(self, content: bytes = b"") -> None:
        self.live, self.durable = bytearray(content), bytes(content)

    def sync(self) -> None:
        self.durable = bytes(self.live)


class Folder:
    def __init__(self) -> None:
        self.live: dict[bytes, File | Folder] = {}
        self.durable: dict[bytes, File | Folder] = {}

    def sync(self) -> None:
        self.durable = dict(self.live)


def read(path: Path) -> File | Folder:
    if not path.is_dir():
        return File(path.read_bytes())
    folder = Folder()
    folder.live = {bytes(child.name, "utf-8", "surrogateescape"): read(child) for child in path.iterdir()}
    folder.sync()
    return folder


def write(node: File | Folder, path: Path, everything: bool) -> None:
    if isinstance(node, File):
        path.write_bytes(bytes(node.live) if everything else node.durable)
        return
    path.mkdir()
    for name, child in (node.live if everything else node.durable).items():
        write(child, path / name.decode("utf-8", "surrogateescape"), everything)


def text(quoted: str) -> bytes:
    """A string as -xx prints it."""
    return bytes.fromhex(quoted.replace("\\x", ""))


CALL = re.compile(r"^(?:\d+\s+)?(\w+)\((.*)\)\s+= (-?\d+)(?:<(.*)>)?")
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
DESCRIPTOR = re.compile(r"(-?\d+|AT_FDCWD)<((?:\\x[0-9a-f]{2})*|[^>]*)>")


class Disk:
    def __init__(self, before: Path, root: Path) -> None:
        self.root, self.tree, self.syncs = bytes(root), read(before), 0
        self.offsets: dict[tuple[str, bytes], int] = {}

    def parts(self, path: bytes) -> list[bytes] | None:
        """Below the root; None for paths elsewhere."""
        if path != self.root and not path.startswith(self.root + b"/"):
            return None
        return [part for part in path[len(self.root):].split(b"/") if part not in (b"", b".")]

    def node(self, path: bytes) -> File | Folder | None:
        parts = self.parts(path)
        if parts is None:
            return None
        found: File | Folder | None = self.tree
        for part in parts:
            found = found.live.get(part) if isinstance(found, Folder) else None
        return found

    def parent(self, path: bytes) -> tuple[Folder, bytes] | None:
        folder = self.node(path.rsplit(b"/", 1)[0])
        return (folder, path.rsplit(b"/", 1)[1]) if isinstance(folder, Folder) and self.parts(path) else None

    def put(self, path: bytes, node: File | Folder | None) -> None:
        place = self.parent(path)
        if place is None:
            return
        if node is None:
            place[0].live.pop(place[1], None)
        else:
            place[0].live[place[1]] = node

    def do(self, name: str, arguments: str, result: int, opened: bytes | None) -> None:
        strings = [text(found) for found in STRING.findall(arguments)]
        places = [text(path) if path.startswith("\\x") else path.encode() for _, path in DESCRIPTOR.findall(arguments)]
        numbers = [found for found, _ in DESCRIPTOR.findall(arguments)]

        def path(index: int) -> bytes:
            if strings[index].startswith(b"/"):
                return strings[index]
            return (places[index] + b"/" + strings[index]) if index < len(places) else strings[index]

        if name in ("open", "openat", "openat2", "creat"):
            if opened is None:
                return
            if "O_CREAT" in arguments and self.node(opened) is None:
                self.put(opened, File())
            node = self.node(opened)
            if "O_TRUNC" in arguments and isinstance(node, File):
                node.live.clear()
            if isinstance(node, File):
                self.offsets[str(result), opened] = len(node.live) if "O_APPEND" in arguments else 0
        elif name in ("write", "pwrite64", "writev", "pwritev"):
            node = self.node(places[0]) if places else None
            if not isinstance(node, File):
                return
            data = b"".join(strings)[:result]
            offset = int(arguments.rsplit(", ", 1)[1]) if name.startswith("p") else self.offsets.get((numbers[0], places[0]), 0)
            if len(node.live) < offset:
                node.live.extend(bytes(offset - len(node.live)))
            node.live[offset:offset + len(data)] = data
            if not name.startswith("p"):
                self.offsets[numbers[0], places[0]] = offset + len(data)
        elif name == "ftruncate":
            node, length = self.node(places[0]), int(arguments.rsplit(", ", 1)[1])
            if isinstance(node, File):
                del node.live[length:]
                node.live.extend(bytes(length - len(node.live)))
        elif name in ("fsync", "fdatasync"):
            node = self.node(places[0])
            if node is not None:
                node.sync()
                self.syncs += 1
        elif name in ("rename", "renameat", "renameat2"):
            source, target = path(0), path(1)
            moved, replaced = self.node(source), self.node(target)
            if moved is None and self.parts(target) is not None:
                raise SystemExit(f"{target!r} comes from elsewhere")
            self.put(target, moved)
            self.put(source, replaced if "RENAME_EXCHANGE" in arguments else None)
            # Descriptors follow their file.
            self.offsets |= {(n, target): at for (n, p), at in self.offsets.items() if p == source}
        elif name in ("unlink", "unlinkat", "rmdir"):
            self.put(path(0), None)
        elif name in ("mkdir", "mkdirat"):
            if self.node(path(0)) is None:
                self.put(path(0), Folder())
        elif any(self.parts(place) is not None for place in places + strings):
            raise SystemExit(f"{name} is not in the model")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace", type=Path)
    parser.add_argument("before", type=Path)
    parser.add_argument("folder", type=Path)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--until", type=int)
    what.add_argument("--all", action="store_true")
    what.add_argument("--count", action="store_true")
    options = parser.parse_args()
    disk = Disk(options.before, options.folder)
    begun: dict[str, str] = {}
    for line in options.trace.read_text("ascii", "replace").splitlines():
        # A call that another thread's interrupted stands in two lines.
        thread = line.split(" ", 1)[0]
        if line.endswith("<unfinished ...>"):
            begun[thread] = line.removesuffix("<unfinished ...>").rstrip()
            continue
        if resumed := re.match(r"^(\d+)\s+<\.\.\. \w+ resumed>(.*)$", line):
            line = begun.pop(thread) + resumed[2]
        call = CALL.match(line)
        if call is None or int(call[3]) < 0:
            continue
        opened = None if call[4] is None else text(call[4]) if call[4].startswith("\\x") else call[4].encode()
        disk.do(call[1], call[2], int(call[3]), opened)
        if disk.syncs == options.until:
            break
    if options.count:
        print(disk.syncs)
    else:
        write(disk.tree, options.folder, options.all)


main()
