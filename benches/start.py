#!/usr/bin/env python3
"""How the console starts on a directory, seen on a pseudo-terminal, and whether it can be used meanwhile.

    benches/start.py NOCTOP DIR [DIR ...] [--size 200x50] [--most 600]

For each directory a line: when the first byte came; when the first frame stood (the first pause of 30 ms); by when
the newest rows were scored and shown (the header says how far reading is: half of it is reading, and what comes
then is scored behind the newest rows); when all of history was; how long a key waited for its answer at the most
until then (one each quarter of a second); and how much memory the program had at the most. Needs Linux and Python 3
alone.
"""
import argparse
import fcntl
import os
import pty
import re
import select
import struct
import sys
import tempfile
import termios
import time

READING = re.compile(r"reading +(\d+) ?%")
# What follows an escape: cursor moves are kept apart, since words on the screen are written in pieces.
MOVE = re.compile(rb"\x1b\[(\d*);?(\d*)H")
OTHER = re.compile(rb"\x1b\[[0-9;?<>=]*[ -/]*[@-~]|\x1b[\]P][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][A-Z0-9]|\x1b[=>78cM]")


class Screen:
    """Just enough of a terminal to read the first line."""

    def __init__(self):
        self.line = {}
        self.row, self.column = 1, 1

    def take(self, data):
        place = 0
        while place < len(data):
            move = MOVE.match(data, place)
            other = move or OTHER.match(data, place)
            if move:
                self.row, self.column = int(move[1] or 1), int(move[2] or 1)
            if other:
                place = other.end()
                continue
            end = data.find(b"\x1b", place + 1)
            end = len(data) if end < 0 else end
            for character in data[place:end].decode("utf-8", "replace"):
                if self.row == 1:
                    self.line[self.column] = character
                self.column += 1
            place = end

    def header(self):
        return "".join(self.line.get(column, " ") for column in range(1, max(self.line, default=0) + 1))


def peak(pid):
    try:
        with open(f"/proc/{pid}/status") as status:
            found = re.search(r"VmHWM:\s+(\d+) kB", status.read())
        return int(found[1]) * 1024 if found else 0
    except OSError:
        return 0


def watch(noctop, directory, size, most):
    columns, rows = size
    home = tempfile.mkdtemp(prefix="noctop-start-")
    ready_to_go, go = os.pipe()
    pid, terminal = pty.fork()
    if pid == 0:
        os.close(go)
        os.read(ready_to_go, 1)  # until the terminal has its size
        for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
            os.environ[name] = home
        os.environ.update(TERM="xterm-256color", LANG="C.UTF-8")
        os.execv(noctop, [noctop, directory])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.close(ready_to_go)
    started = time.monotonic()
    os.close(go)
    screen, seen = Screen(), {}
    quiet_since, pressed, next_key, waits, memory = None, None, None, [], 0
    rest = b""
    while time.monotonic() - started < most and "all" not in seen:
        ready, _, _ = select.select([terminal], [], [], 0.01)
        now = time.monotonic()
        if ready:
            try:
                data = os.read(terminal, 1 << 16)
            except OSError:
                break
            if not data:
                break
            seen.setdefault("first byte", now - started)
            if pressed is not None:
                waits.append(now - pressed)
                pressed = None
            # An escape that is cut in two waits for its other half.
            data = rest + data
            cut = data.rfind(b"\x1b")
            rest = data[cut:] if cut >= 0 and len(data) - cut < 12 and not OTHER.match(data, cut) else b""
            screen.take(data[: len(data) - len(rest)])
            quiet_since = now
            header = screen.header()
            reading = READING.search(header)
            if reading and int(reading[1]) > 50:
                seen.setdefault("newest shown", now - started)
            if not reading and "live" in header or "data ends" in header or "no rows since" in header or "polling" in header:
                seen.setdefault("newest shown", now - started)
                seen["all"] = now - started
        elif quiet_since is not None and now - quiet_since >= 0.03 and "first frame" not in seen:
            seen["first frame"] = quiet_since - started
            next_key = now
        if next_key is not None and pressed is None and now >= next_key:
            os.write(terminal, b"\t")
            pressed, next_key = now, now + 0.25
        memory = max(memory, peak(pid))
    if pressed is not None:
        waits.append(time.monotonic() - pressed)
    seen.setdefault("first frame", seen.get("all", float("nan")))
    try:
        os.write(terminal, b"q")
    except OSError:
        pass
    time.sleep(0.3)
    os.close(terminal)
    os.waitpid(pid, 0)
    return seen, waits, memory


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("noctop")
    parser.add_argument("dir", nargs="+")
    parser.add_argument("--size", default="200x50")
    parser.add_argument("--most", type=float, default=600)
    wanted = parser.parse_args()
    size = tuple(int(part) for part in wanted.size.split("x"))
    print(f"load when this began: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors, {wanted.size}\n")
    print("| directory | first byte | first frame | newest shown | all | keys | worst key | peak of memory |")
    print("|---|---|---|---|---|---|---|---|")
    for directory in wanted.dir:
        seen, waits, memory = watch(os.path.abspath(wanted.noctop), directory, size, wanted.most)
        at = lambda what: f"{seen[what] * 1e3:,.0f} ms" if what in seen else "never"
        worst = f"{max(waits) * 1e3:.1f} ms" if waits else "-"
        print(
            f"| `{directory}` | {at('first byte')} | {at('first frame')} | {at('newest shown')} | {at('all')}"
            f" | {len(waits)} | {worst} | {memory / 1e6:,.0f} MB |",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
