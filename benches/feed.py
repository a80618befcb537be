#!/usr/bin/env python3
"""Rows as a busy collector drops them, for the console's figures under load in benches/README.md.

    benches/feed.py DIR [--interfaces 20000] [--rate 1000] [--slots 60] [--seconds 600]

Writes so many slots of history that end now, a file for each thousand interfaces, and then appends rows as they would
come: each interface has a slot every INTERFACES/RATE seconds, and the rows of a second come at once. One interface in
a thousand is at four times its usual load for a while, so that incidents open and close. Ends after so many seconds,
or with ctrl-c. Needs Python 3 alone.
"""
import argparse
import datetime
import math
import os
import random
import time

HEADER = "timeslot,hostname,ifname,max_metric_value,mean_metric_value\n"
EACH_FILE = 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir")
    parser.add_argument("--interfaces", type=int, default=20_000)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--slots", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=600)
    wanted = parser.parse_args()
    chance = random.Random(5)
    step = wanted.interfaces // wanted.rate
    names = [f",host-{i // 40:04d},xe-0/0/{i % 40}," for i in range(wanted.interfaces)]
    bases = [10 ** chance.uniform(5, 9) for _ in names]

    def line(i, slot, moment):
        mean = bases[i] * (1 + 0.3 * math.sin(slot / 30 + i)) * (0.97 + 0.06 * chance.random())
        if i % 1000 == (slot // 6 * 37) % 1000 and slot % 6 < 3 and slot > wanted.slots:
            mean *= 4
        return f"{moment}{names[i]}{mean * 1.15:.1f},{mean:.1f}\n"

    def moment_of(second):
        return datetime.datetime.fromtimestamp(second, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")

    os.makedirs(wanted.dir)
    files = []
    start = int(time.time()) // step * step
    for first in range(0, wanted.interfaces, EACH_FILE):
        file = open(os.path.join(wanted.dir, f"rows-{first // EACH_FILE:03d}.csv"), "w")
        file.write(HEADER)
        for slot in range(wanted.slots):
            moment = moment_of(start + (slot - wanted.slots) * step)
            file.write("".join(line(i, slot, moment) for i in range(first, min(first + EACH_FILE, wanted.interfaces))))
        file.flush()
        files.append(file)
    print("history is written", flush=True)
    # a second's rows are those of the interfaces whose turn it is; a slot is over when all had theirs
    begun = time.time()
    begin_slot = math.ceil((begun - start) / step)
    second = 0
    while second < wanted.seconds:
        slot, turn = begin_slot + second // step, second % step
        moment = moment_of(start + slot * step)
        for i in range(turn * wanted.rate, (turn + 1) * wanted.rate):
            files[i // EACH_FILE].write(line(i, wanted.slots + slot, moment))
        for file in files:
            file.flush()
        second += 1
        time.sleep(max(0.0, begun + second - time.time()))


if __name__ == "__main__":
    main()
