#!/usr/bin/env python3
"""Writes rows of a large fleet as a collector does, all the time: so many rows a second.

    benches/feed.py DIR [--interfaces 20000] [--rate 1000] [--history 48] [--files 20] [--seconds 60]

First so many slots of history, then live rows until the time is up: each second the rows of that second, appended
to the files of their devices (40 interfaces a device, devices spread over the files). A slot is as long as it
takes to write one row of each interface, 20 s with the figures above. One interface in a thousand is off by a
factor of five now and then. Needs Python 3 alone.
"""
import argparse
import math
import os
import random
import time

HEADER = "timeslot,hostname,ifname,max_metric_value,mean_metric_value\n"
ON_A_DEVICE = 40


class Fleet:
    def __init__(self, interfaces, step):
        self.chance = random.Random(7)
        self.step = step
        self.all = []
        for i in range(interfaces):
            device, port = divmod(i, ON_A_DEVICE)
            name = f",host-{device:05d},xe-0/0/{port},"
            self.all.append((name, 10 ** self.chance.uniform(4, 9), self.chance.uniform(0.2, 0.6), self.chance.uniform(0, 6.3)))

    def line(self, i, moment):
        name, base, swing, phase = self.all[i]
        value = base * (1 + swing * math.sin(2 * math.pi * moment / 3600 + phase)) * (0.95 + 0.1 * self.chance.random())
        if self.chance.random() < 0.00002:
            value *= 5
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment))
        return f"{stamp}{name}{value * 1.15:.1f},{value:.1f}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir")
    parser.add_argument("--interfaces", type=int, default=20_000)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--history", type=int, default=48)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    wanted = parser.parse_args()
    step = max(1, wanted.interfaces // wanted.rate)
    fleet = Fleet(wanted.interfaces, step)
    os.makedirs(wanted.dir, exist_ok=True)
    files = [open(os.path.join(wanted.dir, f"feed-{n:03d}.csv"), "w") for n in range(wanted.files)]
    for file in files:
        file.write(HEADER)

    def write(interfaces, moment):
        of_file = {}
        for i in interfaces:
            of_file.setdefault(i // ON_A_DEVICE % wanted.files, []).append(fleet.line(i, moment))
        for number, lines in of_file.items():
            files[number].write("".join(lines))
            files[number].flush()

    begin = int(time.time()) // step * step
    for slot in range(wanted.history, 0, -1):
        write(range(wanted.interfaces), begin - slot * step)
    print(f"{wanted.history} slots of {step} s written; {wanted.rate} rows a second from now on", flush=True)
    end = time.time() + wanted.seconds
    second = int(time.time())
    while time.time() < end:
        slot, part = second // step * step, second % step
        share = -(-wanted.interfaces // step)
        write(range(part * share, min((part + 1) * share, wanted.interfaces)), slot)
        second += 1
        time.sleep(max(0.0, second - time.time()))


if __name__ == "__main__":
    main()
