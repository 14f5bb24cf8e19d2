#!/usr/bin/env python3
"""Passes Ethernet frames between pairs of network devices, late and with losses: for kernels without netem. As root, Linux.

    relay.py --delay MS --loss PERCENT A=B ...    until it is killed
    relay.py --plain DEVICE ...                   turns off what a card would do for the kernel: checksums, and cutting up large frames
"""
import argparse
import collections
import fcntl
import random
import select
import socket
import struct
import time

SIOCETHTOOL = 0x8946
# TSO, GSO, GRO, checksums of what is sent.
OFF = (0x1F, 0x24, 0x2C, 0x17)
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
ETH_P_ALL = 3
# What a slow link keeps before it drops: frames.
QUEUE = 20000


def make_plain(device):
    import ctypes

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for command in OFF:
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            request = struct.pack("16sP", device.encode(), ctypes.addressof(value))
            fcntl.ioctl(s, SIOCETHTOOL, request.ljust(40, b"\0"))


def listen(device):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
    s.bind((device, 0))
    s.setblocking(False)
    return s


def take(source, queue, due, loss):
    """All that has arrived."""
    try:
        while True:
            frame = source.recv(65536)
            if random.random() >= loss and len(queue) < QUEUE:
                queue.append((due, frame))
    except BlockingIOError:
        pass


def give(target, queue, now):
    while queue and queue[0][0] <= now:
        try:
            target.send(queue[0][1])
        except BlockingIOError:
            return
        except OSError:
            pass  # a device that is down
        queue.popleft()


def relay(pairs, delay, loss):
    target, queues = {}, {}
    for pair in pairs:
        a, b = (listen(device) for device in pair.split("="))
        target[a], target[b] = b, a
        queues[a], queues[b] = collections.deque(), collections.deque()
    while True:
        now = time.monotonic()
        for source, queue in queues.items():
            give(target[source], queue, now)
        wait = min((queue[0][0] for queue in queues.values() if queue), default=now + 1) - now
        for source in select.select(list(queues), [], [], max(wait, 0))[0]:
            try:
                take(source, queues[source], time.monotonic() + delay, loss)
            except OSError:
                pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--loss", type=float, default=0)
    parser.add_argument("devices", nargs="+")
    arguments = parser.parse_args()
    if arguments.plain:
        for device in arguments.devices:
            make_plain(device)
    else:
        relay(arguments.devices, arguments.delay / 1e3, arguments.loss / 100)


main()
