#!/usr/bin/env python3
"""What `noctop score` costs as a whole on fleets of 1,000, 10,000 and 100,000 interfaces: the table of
benches/README.md.

    benches/whole.py NOCTOP [--interfaces 1000 10000 100000] [--slots 60] [--dir DIR ...]

Rows are at 5 minutes, in files that hold slot after slot of all interfaces, as a collector drops them. Each run is
a process of its own; its processor time and its peak of memory are what the system says of it. With --dir a
directory of rows is scored, too. Needs Python 3 alone, some 400 MB in the temporary directory for the largest
fleet, and as much again for its scores.
"""
import argparse
import datetime
import math
import os
import random
import subprocess
import tempfile
import time

HEADER = "timeslot,hostname,ifname,max_metric_value,mean_metric_value\n"
FILES = 5


def write(directory, interfaces, slots):
    """Writes a fleet's rows; gives how many there are."""
    chance = random.Random(5)
    fleet = []
    for i in range(interfaces):
        name = f",host-{i // 40:05d},xe-0/0/{i % 40},"
        fleet.append((name, 10 ** chance.uniform(4, 9), chance.uniform(0.2, 0.6), chance.uniform(0, 2 * math.pi)))
    start = datetime.datetime(2026, 1, 5)
    each = -(-slots // FILES)
    for number in range(FILES):
        with open(os.path.join(directory, f"rows-{number}.csv"), "w") as out:
            out.write(HEADER)
            for slot in range(number * each, min(slots, (number + 1) * each)):
                moment = start + datetime.timedelta(minutes=5 * slot)
                lines = []
                for name, base, swing, phase in fleet:
                    mean = base * (1 + swing * math.sin(2 * math.pi * slot / 288 + phase)) * (0.95 + 0.1 * chance.random())
                    lines.append(f"{moment}{name}{mean * (1.1 + 0.1 * chance.random()):.1f},{mean:.1f}\n")
                out.write("".join(lines))
    return interfaces * slots


def run(command):
    """Runs a command; gives seconds by the clock, seconds of processor time, and the peak of memory in bytes."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    complaint = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {complaint}")
    return time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def rows_of(directory):
    files = [os.path.join(directory, name) for name in os.listdir(directory) if name.endswith(".csv")]
    return sum(sum(1 for _ in open(file)) - 1 for file in files)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("noctop")
    parser.add_argument("--interfaces", type=int, nargs="*", default=[1000, 10_000, 100_000])
    parser.add_argument("--slots", type=int, default=60)
    parser.add_argument("--dir", nargs="*", default=[])
    wanted = parser.parse_args()
    print(f"load when this began: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n")
    print("| rows | how many | by the clock | processor time | a row | against the first | peak of memory | an interface |")
    print("|---|---|---|---|---|---|---|---|")
    first = None
    with tempfile.TemporaryDirectory(prefix="noctop-whole-") as place:
        for interfaces in wanted.interfaces:
            with tempfile.TemporaryDirectory(dir=place) as fleet:
                rows = write(fleet, interfaces, wanted.slots)
                wall, busy, peak = run([wanted.noctop, "score", fleet])
            each = busy / rows * 1e6
            first = first or each
            print(
                f"| {interfaces:,} interfaces, {wanted.slots} slots | {rows:,} | {wall:.1f} s | {busy:.1f} s | {each:.1f} µs"
                f" | {each / first:.2f} | {peak / 1e6:,.0f} MB | {peak / interfaces / 1024:.1f} KB |"
            )
        for directory in wanted.dir:
            rows = rows_of(directory)
            wall, busy, peak = run([wanted.noctop, "score", directory])
            print(f"| `{directory}` | {rows:,} | {wall:.1f} s | {busy:.1f} s | {busy / rows * 1e6:.1f} µs | | {peak / 1e6:,.0f} MB | |")


if __name__ == "__main__":
    main()
