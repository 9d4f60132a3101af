#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Numbered UDP messages, to tell exactly which arrived.

    udp.py send HOST PORT RATE       sends 1, 2, 3, ... at RATE a second until SIGTERM, then prints the last
    udp.py receive PORT              prints "count first last distinct" at SIGTERM
"""
import signal
import socket
import sys
import time

running = True


def stop(*_):
    global running
    running = False


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)


def send(host, port, rate):
    connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    connection.bind(("", 40000 + port % 10000))
    number, start = 0, time.monotonic()
    print("ready", flush=True)
    while running:
        number += 1
        try:
            connection.sendto(number.to_bytes(8, "big") + bytes(10), (host, port))
        except OSError:
            number -= 1
        time.sleep(max(0.0, start + number / rate - time.monotonic()))
    print(f"sent {number}", flush=True)


def receive(port):
    connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    connection.bind(("", port))
    connection.settimeout(0.2)
    seen = set()
    print("ready", flush=True)
    while running:
        try:
            seen.add(int.from_bytes(connection.recv(2048)[:8], "big"))
        except socket.timeout:
            continue
    print(f"received {len(seen)} first {min(seen, default=0)} last {max(seen, default=0)}", flush=True)


if sys.argv[1] == "send":
    send(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
else:
    receive(int(sys.argv[2]))
