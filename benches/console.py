#!/usr/bin/env python3
"""The console on a pseudo-terminal: the figures of benches/README.md, at rest and under load.

    benches/console.py NOCTOP [DIR] [--size 80x24 200x60] [--seconds 30] [--warmup 5] [--keys 40]
    benches/console.py NOCTOP --load 20000 1000 [--warmup 60]

Without --load the directory (datasets/sample by default) is watched as it is: nothing new comes. With it, so many
interfaces are written with 60 slots of history and then so many rows a second are appended (benches/feed.py), which
takes some 70 MB in the temporary directory. For each size a console is started; the table has

- first: from the start to the first byte, and to the last byte before the first pause of 150 ms;
- key: from a press (down and up in turn) to the first byte of an answer, median and 95th percentile;
- bytes a second, processor time of one core, and memory over --seconds without a key.

By the clock, so an idle machine is needed; the load average is printed beside. Needs Linux and Python 3 alone.
"""
import argparse
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time

PAUSE = 0.15


class Console:
    def __init__(self, command, size):
        columns, rows = size
        self.begun = time.monotonic()
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            # the size is set by the parent before anything can be drawn
            time.sleep(0.2)
            os.execvp(command[0], command)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.begun += 0.2

    def read(self, seconds):
        """Reads for so long at the most; gives how many bytes came with the first of them, and when."""
        ready, _, _ = select.select([self.master], [], [], max(seconds, 0))
        if not ready:
            return 0, None
        try:
            return len(os.read(self.master, 65536)), time.monotonic()
        except OSError:  # it has ended
            return 0, None

    def drain(self, seconds):
        """Reads for so long; gives how many bytes came."""
        until, total = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            total += self.read(until - time.monotonic())[0]
        return total

    def busy(self):
        fields = open(f"/proc/{self.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        lines = open(f"/proc/{self.pid}/status").read().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))

    def end(self):
        os.kill(self.pid, signal.SIGTERM)
        until = time.monotonic() + 5
        while time.monotonic() < until and os.waitpid(self.pid, os.WNOHANG)[0] == 0:
            self.read(0.05)
        os.close(self.master)


def measure(command, size, wanted):
    console = Console(command, size)
    _, first = console.read(30)
    settled = first
    while True:
        count, when = console.read(PAUSE)
        if not count or when - console.begun > 30:
            break
        settled = when
    console.drain(wanted.warmup)
    before, begun = console.busy(), time.monotonic()
    bytes_sent = console.drain(wanted.seconds)
    busy = (console.busy() - before) / (time.monotonic() - begun)
    answers = []
    for press in range(wanted.keys):
        console.drain(0.3)
        # before the write: the answer may be there before this program goes on behind it
        pressed = time.monotonic()
        os.write(console.master, b"\x1b[B" if press % 2 == 0 else b"\x1b[A")
        _, when = console.read(1)
        if when:
            answers.append((when - pressed) * 1000)
    memory = console.memory()
    console.end()
    answers.sort()
    last = answers[min(len(answers) - 1, int(len(answers) * 0.95))] if answers else float("nan")
    middle = statistics.median(answers) if answers else float("nan")
    first, settled = ((when - console.begun) * 1000 for when in (first, settled))
    print(
        f"| {size[0]}x{size[1]} | {first:.1f} ms, {settled:.0f} ms | {middle:.2f} ms, {last:.2f} ms ({len(answers)} of {wanted.keys})"
        f" | {bytes_sent / wanted.seconds:.0f} | {busy * 100:.2f} % | {memory:.1f} MB |",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("noctop")
    parser.add_argument("dir", nargs="?", default="datasets/sample")
    parser.add_argument("--size", nargs="*", default=["80x24", "200x60"])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--warmup", type=float, default=5)
    parser.add_argument("--keys", type=int, default=40)
    parser.add_argument("--load", nargs=2, type=int, metavar=("INTERFACES", "ROWS_A_SECOND"))
    wanted = parser.parse_args()
    sizes = [tuple(int(n) for n in size.split("x")) for size in wanted.size]
    print(f"load when this began: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n")
    print("| size | first byte, last byte before a pause | key, 95th percentile | bytes a second | processor | memory |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="noctop-console-") as place:
        os.environ.update({"XDG_STATE_HOME": os.path.join(place, "state"), "TERM": "xterm-256color", "LANG": "C.UTF-8"})
        feed = None
        if wanted.load:
            interfaces, rate = wanted.load
            wanted.dir = os.path.join(place, "rows")
            script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "feed.py")
            seconds = len(sizes) * (wanted.warmup + wanted.seconds + wanted.keys + 60)
            arguments = ["--interfaces", str(interfaces), "--rate", str(rate), "--seconds", str(seconds)]
            feed = subprocess.Popen([sys.executable, script, wanted.dir, *arguments], stdout=subprocess.PIPE, text=True)
            feed.stdout.readline()
        try:
            for size in sizes:
                measure([wanted.noctop, wanted.dir], size, wanted)
        finally:
            if feed:
                feed.terminate()
                feed.wait()
    print(f"\nload when this ended: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
