# SPDX-License-Identifier: Apache-2.0
"""Two hosts with cordon-gateway between them on a stored policy, and how to show that nothing arrives: all
frames are sent, then one that may pass; nothing may come before it."""
import logging
import os
import signal
import struct
import time

from support import BIN, Lab, run, wait_until
from wire import Wire, store_policy

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
from scapy.all import ARP, IP, TCP, UDP, Ether, Raw, rdpcap  # noqa: E402

PUMP, CT, WATCHED, STRANGER = (f"02:00:00:00:01:{n}" for n in ("21", "22", "23", "99"))
SERVER, ATTACKER, BROADCAST = "02:00:00:00:02:20", "02:00:00:00:02:66", "ff:ff:ff:ff:ff:ff"
PUMP_IP, CT_IP, SERVER_IP, ATTACKER_IP = "10.20.1.21", "10.20.1.22", "10.20.0.20", "10.20.0.66"
PUMP6, SERVER6, ATTACKER6 = "fd00:20::1:21", "fd00:20::20", "fd00:20::66"
# A peer that has no stack: the CT and it say only what a test sends.
ARCHIVE, ARCHIVE_IP, CT6, ARCHIVE6 = "02:00:00:00:02:77", "10.20.0.77", "fd00:20::1:22", "fd00:20::77"
RULES = """
rules { origin: "report" initiator: INITIATOR_DEVICE protocol: PROTOCOL_TCP prefixes { prefixes: "10.20.0.20/32"
  prefixes: "fd00:20::20/128" } peer_ports { first: 2575 last: 2576 } }
rules { origin: "telemetry" initiator: INITIATOR_DEVICE protocol: PROTOCOL_UDP prefixes { prefixes: "10.20.0.20/32"
  prefixes: "fd00:20::20/128" } peer_ports { first: 5000 last: 5000 } }
rules { origin: "service" initiator: INITIATOR_PEER protocol: PROTOCOL_TCP prefixes { prefixes: "10.20.0.20/32" }
  device_ports { first: 3010 last: 3010 } }
rules { origin: "archive" initiator: INITIATOR_DEVICE protocol: PROTOCOL_TCP prefixes { prefixes: "10.20.0.77/32"
  prefixes: "fd00:20::77/128" } peer_ports { first: 104 last: 104 } }
rules { origin: "archive-datagrams" initiator: INITIATOR_DEVICE protocol: PROTOCOL_UDP prefixes { prefixes: "10.20.0.77/32"
  prefixes: "fd00:20::77/128" } peer_ports { first: 104 last: 104 } }
rules { origin: "commitment" initiator: INITIATOR_PEER protocol: PROTOCOL_TCP prefixes { prefixes: "10.20.0.77/32"
  prefixes: "fd00:20::77/128" } device_ports { first: 3011 last: 3011 } }
rules { origin: "ping" initiator: INITIATOR_PEER protocol: PROTOCOL_ICMP prefixes { prefixes: "10.20.0.20/32" } }
"""
POLICY = f"""
gateway: "evasion" generation: 7 pairs: "ward" rulesets {{ name: "pump" {RULES} }} rulesets {{ name: "nothing" }}
devices {{ name: "pump" pair: "ward" macs: "{PUMP}" ips: "{PUMP_IP}" ips: "{PUMP6}" mode: MODE_ENFORCE }}
devices {{ name: "ct" pair: "ward" macs: "{CT}" ips: "{CT_IP}" ips: "{CT6}" mode: MODE_ENFORCE }}
devices {{ name: "ct-60" pair: "ward" vlan {{ outer: 60 }} macs: "{CT}" ips: "{CT_IP}" ips: "{CT6}" mode: MODE_ENFORCE }}
devices {{ name: "pump-30" pair: "ward" vlan {{ outer: 30 }} macs: "{PUMP}" ips: "10.30.1.21" mode: MODE_ENFORCE }}
devices {{ name: "pump-40-30" pair: "ward" vlan {{ outer: 40 inner: 30 }} macs: "{PUMP}" ips: "{PUMP_IP}" mode: MODE_ENFORCE }}
devices {{ name: "watched" pair: "ward" vlan {{ outer: 50 }} macs: "{WATCHED}" ips: "10.50.1.23" mode: MODE_OBSERVE ruleset: 1 }}
"""
CONFIG = """
gateway: evasion
state_directory: {directory}/state
pairs: [{{name: ward, device_side: {{interface: d0}}, network_side: {{interface: n0}}}}]
workers: {{cores: [{core}], flow_capacity: 1024, idle_backoff: {{after_polls: 100, max_sleep: 100us}}}}
memory: {{hugepages: false, megabytes: 96}}
adopt_grace: 0s
metrics: {{listen: "127.0.0.1:9464"}}
status_socket: {directory}/gateway.sock
"""


def outward(*layers, source=PUMP, destination=SERVER):
    return build(Ether(src=source, dst=destination), *layers)


def inward(*layers, source=ATTACKER, destination=PUMP):
    return build(Ether(src=source, dst=destination), *layers)


def build(frame, *layers):
    for layer in layers:
        frame = frame / layer
    return frame


def tagged(frame, *tags):
    """The frame with VLAN tags (vid, TPID) in front."""
    data = bytes(frame)
    return data[:12] + b"".join(struct.pack("!HH", tpid, vid) for vid, tpid in tags) + data[12:]


# The connection that must not suffer.
PATIENT = f"""
import socket, time
s = socket.create_connection(("{SERVER_IP}", 2575), timeout=10)
n = 0
while True:
    n += 1
    line = b"%d\\n" % n
    s.sendall(line)
    got = b""
    while not got.endswith(b"\\n"): got += s.recv(100)
    assert got == line, got
    print("beat", n, flush=True)
    time.sleep(0.05)
"""


class AttackBed:
    """A device and the network, each at the end of a cable, and what an attacker on either side would use.
    Mixed into a unittest.TestCase."""
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        try:
            cls.box = cls.lab.namespace("box")
            cls.ward, cls.core = cls.lab.namespace("ward"), cls.lab.namespace("core")
            cls.lab.connect(cls.ward, "eth0", cls.box, "d0", mac=PUMP)
            cls.lab.connect(cls.core, "eth0", cls.box, "n0", mac=SERVER)
            for space, ip in ((cls.ward, PUMP_IP), (cls.core, SERVER_IP), (cls.core, ATTACKER_IP)):
                space.address("eth0", f"{ip}/16")
            store_policy(cls.lab.directory, POLICY)
            cls.config = cls.lab.directory / "gateway.yaml"
            cls.config.write_text(CONFIG.format(directory=cls.lab.directory, core=max(os.sched_getaffinity(0))))
            cls.gateway = cls.box.start("gateway", BIN / "cordon-gateway", "--config", cls.config)
            cls.gateway.wait_for_output("enforcing generation 7 (stored)")
            for space, port in ((cls.core, 2575), (cls.ward, 3010), (cls.ward, 80), (cls.core, 80), (cls.core, 5001)):
                space.start(f"listen{port}-{space.name}", "socat", f"TCP-LISTEN:{port},fork,reuseaddr", "EXEC:cat")
                wait_until(f"port {port}", lambda s=space, p=port: s.listening(p))
            for space, port in ((cls.core, 5000), (cls.ward, 40000)):  # or they would answer with port unreachable
                space.start(f"sink{port}", "socat", "-u", f"UDP-RECV:{port}", "OPEN:/dev/null")
                wait_until(f"UDP port {port}", lambda s=space, p=port: s.listening(p, "udp"))
            cls.device, cls.network = Wire(cls.ward, "eth0"), Wire(cls.core, "eth0")
            cls.patient = cls.ward.start("patient", "/usr/bin/python3", "-u", "-c", PATIENT)
            cls.patient.wait_for_output("beat 3")
            cls.memory = cls.resident()
        except BaseException:
            cls.lab.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.lab.close()

    def tearDown(self):
        """Whatever was tried: the gateway lives, and the pump's connection goes on."""
        self.assertTrue(self.gateway.alive(), self.gateway.output()[-3000:])
        beats = self.patient.output().count("beat")
        wait_until("the pump's next answer", lambda: self.patient.output().count("beat") > beats, 3)

    @classmethod
    def resident(cls):
        pid = run(["pgrep", "-f", f"cordon-gateway --config {cls.config}"]).stdout.split()[-1]
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def metric(self, text):
        time.sleep(0.12)  # scrapes within 100 ms share one rendering
        lines = self.box.run("curl", "-sf", "http://127.0.0.1:9464/metrics").stdout.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if text in line and not line.startswith("#"))

    # --- crafted frames: all are sent, then one that may pass; nothing may come before it

    def arrived(self, frames, source, destination, legal):
        """What arrives at the other side when `frames` are sent, until `legal` arrives."""
        destination.drain()
        for i, frame in enumerate(frames):
            source.send(bytes(frame))
            if i % 64 == 63:
                time.sleep(0.002)  # not to overrun the ring: a frame lost there would prove nothing
        source.send(legal)
        seen = destination.receive_until(legal)
        return [f for f in seen if not self.is_ordinary(f)]

    @staticmethod
    def is_ordinary(frame):
        """The pump's own connection, and ARP between the two hosts."""
        packet = Ether(frame)
        if TCP in packet and IP in packet and {2575, 2576} & {packet[TCP].sport, packet[TCP].dport}:
            return packet[IP].src in (PUMP_IP, SERVER_IP) and {packet.src, packet.dst} == {PUMP, SERVER}
        return ARP in packet and {packet[ARP].psrc, packet[ARP].pdst} == {PUMP_IP, SERVER_IP}

    def nothing_arrives(self, what, frames, from_device):
        self.count = getattr(self, "count", 0) + 1
        number = b"sentinel %d %s" % (self.count, os.urandom(4).hex().encode())
        wires = (self.device, self.network) if from_device else (self.network, self.device)
        to_server = bytes(outward(IP(src=PUMP_IP, dst=SERVER_IP), UDP(sport=40000, dport=5000), Raw(number)))
        answer = bytes(inward(IP(src=SERVER_IP, dst=PUMP_IP), UDP(sport=5000, dport=40000), Raw(number), source=SERVER))
        if not from_device:
            self.assertEqual(self.arrived([], self.device, self.network, to_server), [])
        seen = self.arrived(frames, *wires, to_server if from_device else answer)
        print(f"  {what}: {len(frames)} frames from the {'device' if from_device else 'network'} side, "
              f"{len(seen)} arrived", flush=True)
        self.assertEqual([Ether(f).summary() + " " + f.hex() for f in seen], [], what)

    def both_tags(self, frames):
        """Untagged, priority-tagged, and in the pump's other VLANs, where its address is another or the same."""
        plain = [bytes(f) for f in frames]
        return (plain + [tagged(f, (0, 0x8100)) for f in plain] + [tagged(f, (30, 0x8100)) for f in plain] +
                [tagged(f, (40, 0x8100), (30, 0x8100)) for f in plain])

    def capture(self, space, name, direction):
        file = self.lab.directory / f"{name}.pcap"
        process = space.start(name, "tcpdump", "-U", "-n", "-i", "eth0", "-w", file, "--immediate-mode", "-Q", direction)
        process.wait_for_output("listening on")

        def frames():
            process.stop(signal.SIGINT)
            return [bytes(f) for f in rdpcap(str(file))]
        return frames
