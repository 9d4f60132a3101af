# SPDX-License-Identifier: Apache-2.0
"""The end of a cable: whole frames in and out, and sockets that live in a host's namespace."""
import ctypes
import hashlib
import socket
import struct
import subprocess
import threading

from support import ROOT


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def tag(vid, tpid=0x8100, priority=0):
    return struct.pack("!HH", tpid, priority << 13 | vid)


def checksum(data):
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def in_namespace(namespace, make):
    """What `make` returns when called inside a network namespace; sockets stay there."""
    made = []

    def enter():  # a thread of its own may live in another namespace
        with open(f"/run/netns/{namespace.full_name}", "rb") as target:
            if ctypes.CDLL(None, use_errno=True).setns(target.fileno(), 0x40000000) == 0:
                made.append(make())
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return made[0]


class Wire:
    """A device's or peer's end of a cable: sends and receives whole frames, VLAN tags included."""
    PACKET_AUXDATA, SOL_PACKET, TAG_VALID = 8, 263, 1 << 4

    def __init__(self, namespace, interface):
        self.socket = in_namespace(namespace, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
        self.socket.bind((interface, 3))
        self.socket.setsockopt(self.SOL_PACKET, self.PACKET_AUXDATA, 1)
        self.socket.settimeout(5)

    def send(self, frame):
        self.socket.send(frame)

    def receive(self):
        """The next frame that came in from the cable."""
        while True:
            data, ancillary, _, address = self.socket.recvmsg(65536, 256)
            if address[2] == socket.PACKET_OUTGOING:
                continue
            for level, kind, value in ancillary:
                if (level, kind) == (self.SOL_PACKET, self.PACKET_AUXDATA):
                    status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", value[:20])
                    if status & self.TAG_VALID:
                        data = data[:12] + struct.pack("!HH", tpid, tci) + data[12:]
            return data

    def receive_until(self, last):
        frames = []
        while not frames or frames[-1] != last:
            frames.append(self.receive())
        return frames[:-1]

    def drain(self):
        """Forgets what has come so far."""
        self.socket.setblocking(False)
        try:
            while True:
                self.receive()
        except BlockingIOError:
            pass
        self.socket.settimeout(5)


def store_policy(directory, text):
    """Puts a PolicySet, written as protobuf text, where a gateway finds its last good one."""
    payload = subprocess.run(["protoc", f"-I{ROOT}/proto", "--encode=cordon.v1.PolicySet", "cordon/v1/policy_set.proto"],
                             input=text.encode(), capture_output=True, check=True).stdout
    header = b"CORDONPS" + struct.pack("!QQQQ", 1, 7, 1_700_000_000_000, len(payload))
    (directory / "state").mkdir(exist_ok=True)
    (directory / "state/policy.last").write_bytes(header + hashlib.sha256(header + payload).digest() + payload)
