# SPDX-License-Identifier: Apache-2.0
"""What make_captures.py writes its scenes with: hosts, frames, and what should become of each."""
import dataclasses
import json
import struct

from scapy.all import ARP, Dot1AD, Dot1Q, Ether, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IP, IPv6, TCP
from scapy.all import ICMPv6ND_NA, ICMPv6ND_NS

DEVICE, NETWORK = "device", "network"
START = 1_700_000_000.0  # every scene begins at the same second
STEP = 0.010


@dataclasses.dataclass
class Host:
    mac: str
    ip: str
    side: str
    vlans: tuple = ()

    def ethernet(self, to_mac):
        frame = Ether(src=self.mac, dst=to_mac)
        if len(self.vlans) == 2:
            return frame / Dot1AD(vlan=self.vlans[0]) / Dot1Q(vlan=self.vlans[1])
        return frame / Dot1Q(vlan=self.vlans[0]) if self.vlans else frame

    def to(self, other, source=None):
        """Ethernet and IP from here to another host."""
        internet = IPv6 if ":" in self.ip else IP
        return self.ethernet(other.mac) / internet(src=source or self.ip, dst=other.ip)

    def broadcast(self, to="255.255.255.255", mac="ff:ff:ff:ff:ff:ff", source=None):
        return self.ethernet(mac) / IP(src=source or self.ip, dst=to, ttl=64)

    def arp_request(self, wanted, sender=None):
        return self.ethernet("ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=self.mac, psrc=sender or self.ip, pdst=wanted)

    def arp_reply(self, other, sender=None):
        return self.ethernet(other.mac) / ARP(op=2, hwsrc=self.mac, psrc=sender or self.ip, hwdst=other.mac,
                                              pdst=other.ip)

    def neighbour_solicitation(self, wanted, hop_limit=255):
        last = int(wanted.rsplit(":", 1)[1] or "0", 16)
        group = Ether(src=self.mac, dst=f"33:33:ff:00:00:{last & 255:02x}")
        return group / IPv6(src=self.ip, dst=f"ff02::1:ff00:{last:x}", hlim=hop_limit) / ICMPv6ND_NS(
            tgt=wanted) / ICMPv6NDOptSrcLLAddr(lladdr=self.mac)

    def neighbour_advertisement(self, other, target=None):
        return Ether(src=self.mac, dst=other.mac) / IPv6(src=self.ip, dst=other.ip, hlim=255) / ICMPv6ND_NA(
            tgt=target or self.ip, R=0, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=self.mac)


class Expected:
    """forward("rule", "ct-2", "ct-scanner/store-images") and so on."""

    def __init__(self, verdict, reason, device="", rule=""):
        self.verdict, self.reason, self.device, self.rule = verdict, reason, device, rule


def by_rule(device, rule):
    return Expected("forward", "rule", device, rule)


def forward(reason, device="", rule=""):
    return Expected("forward", reason, device, rule)


def audit(reason, device):
    return Expected("audit", reason, device)


def drop(reason, device=""):
    return Expected("drop", reason, device)


class Scene:
    def __init__(self, name, title, story):
        self.name, self.title, self.story = name, title, " ".join(story.split())
        self.clock, self.frames = START, []

    def wait(self, seconds):
        self.clock += seconds

    def add(self, host, what, frame, expected):
        """`host`'s side sends a frame; `what` says in a few words what it is."""
        self.clock += STEP
        self.frames.append((round(self.clock, 6), host.side, bytes(frame), what, expected))

    def write(self, folder):
        folder.mkdir(exist_ok=True)
        for side in (DEVICE, NETWORK):
            path = folder / f"{side}.pcap"
            chosen = [(time, frame) for time, of, frame, _, _ in self.frames if of == side]
            if not chosen:
                path.unlink(missing_ok=True)
                continue
            capture = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
            for time, frame in chosen:
                seconds, microseconds = divmod(round(time * 1e6), 1_000_000)
                capture += struct.pack("<IIII", seconds, microseconds, len(frame), len(frame)) + frame
            path.write_bytes(capture)
        lines, table = [], []
        for number, (_, side, _, what, e) in enumerate(self.frames, 1):
            lines.append(json.dumps({"frame": number, "side": side, "verdict": e.verdict, "reason": e.reason,
                                     "device": e.device, "rule": e.rule}, separators=(",", ":")))
            table.append(f"| {number} | {side} | {what} | **{e.verdict}** | {e.rule or e.reason} |")
        (folder / "expected.jsonl").write_text("\n".join(lines) + "\n")
        counts = {v: sum(f[4].verdict == v for f in self.frames) for v in ("forward", "audit", "drop")}
        (folder / "README.md").write_text(
            f"# {self.title}\n\n{self.story}\n\n"
            "| frame | from the side of the | what it is | verdict | by rule, or reason |\n|---|---|---|---|---|\n"
            + "\n".join(table)
            + f"\n\nForwarded {counts['forward']}, audited {counts['audit']}, dropped {counts['drop']}.\n")


class Tcp:
    """A TCP connection, told segment by segment; every segment has the same fate unless said."""

    def __init__(self, scene, client, server, client_port, server_port, fate):
        self.scene, self.fate = scene, fate
        self.ends = {True: (client, server, client_port, server_port), False: (server, client, server_port, client_port)}
        self.sequence = {True: 1000, False: 5000}

    def segment(self, from_client, flags, what, payload=b"", fate=None):
        source, destination, source_port, destination_port = self.ends[from_client]
        acknowledged = self.sequence[not from_client] if "A" in flags else 0
        frame = source.to(destination) / TCP(sport=source_port, dport=destination_port, flags=flags,
                                             seq=self.sequence[from_client], ack=acknowledged, window=64240) / payload
        self.scene.add(source, what, frame, fate or self.fate)
        self.sequence[from_client] += len(payload) + ("S" in flags or "F" in flags)

    def open(self, what):
        self.segment(True, "S", what)
        self.segment(False, "SA", "it is accepted")
        self.segment(True, "A", "the connection stands")

    def say(self, what, payload):
        self.segment(True, "PA", what, payload)

    def answer(self, what, payload):
        self.segment(False, "PA", what, payload)

    def close(self):
        self.segment(True, "FA", "the opener closes")
        self.segment(False, "FA", "the other side closes")
        self.segment(True, "A", "closed")
