#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""To legal traffic the gateway is a wire: what the hosts of both sides send is captured where it leaves them and
where it arrives, and must be the same frames, byte for byte, in the same order."""
import contextlib
import json
import logging
import os
import signal
import socket
import struct
import threading
import time
import unittest

from support import BIN, ROOT, Lab, run, wait_until
from wire import Wire, in_namespace, mac, store_policy

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
from scapy.all import ICMP, IP, TCP, UDP, Ether, IPv6, ICMPv6PacketTooBig  # noqa: E402

PUMP, SERVER = "02:00:00:00:01:21", "02:00:00:00:02:20"
PUMP_IP, SERVER_IP, PUMP6, SERVER6 = "10.20.1.21", "10.20.0.20", "fd00:20::1:21", "fd00:20::20"
PEER = 'prefixes { prefixes: "10.20.0.20/32" prefixes: "fd00:20::20/128" }'
POLICY = f"""
gateway: "wire" generation: 7 pairs: "ward" rulesets {{ name: "pump"
  rules {{ origin: "tcp" initiator: INITIATOR_DEVICE protocol: PROTOCOL_TCP {PEER} }}
  rules {{ origin: "udp" initiator: INITIATOR_DEVICE protocol: PROTOCOL_UDP {PEER} }}
  rules {{ origin: "in" initiator: INITIATOR_PEER protocol: PROTOCOL_TCP {PEER} device_ports {{ first: 3010 last: 3020 }} }}
  rules {{ origin: "ping" initiator: INITIATOR_DEVICE protocol: PROTOCOL_ICMP prefixes {{ prefixes: "10.20.0.20/32" }} }}
  rules {{ origin: "ping6" initiator: INITIATOR_DEVICE protocol: PROTOCOL_ICMPV6 prefixes {{ prefixes: "fd00:20::20/128" }} }} }}
devices {{ name: "pump" pair: "ward" macs: "{PUMP}" ips: "{PUMP_IP}" ips: "{PUMP6}" mode: MODE_ENFORCE }}
"""
CONFIG = """
gateway: wire
state_directory: {directory}/state
pairs: [{{name: ward, device_side: {{interface: d0}}, network_side: {{interface: n0}}}}]
workers: {{cores: [{core}], idle_backoff: {{after_polls: 100, max_sleep: 100us}}}}
memory: {{hugepages: false, megabytes: 128}}
metrics: {{listen: "127.0.0.1:9464"}}
status_socket: {directory}/gateway.sock
"""
TCP_FASTOPEN, MSG_FASTOPEN, SO_RCVBUFFORCE = 23, 0x20000000, 33
TIMESTAMPS, SACK, WINDOW_SCALE, ECN = 1, 2, 4, 8  # bits of tcpi_options


def frames_of(file):
    """The frames of a capture as bytes, in order."""
    data, at, frames = file.read_bytes(), 24, []
    while at + 16 <= len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames


class Invisibility:
    mtu = 1500

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        try:
            cls.box = cls.lab.namespace("box")
            cls.pump, cls.server = cls.lab.namespace("pump"), cls.lab.namespace("server")
            for space, port, address in ((cls.pump, "d0", PUMP), (cls.server, "n0", SERVER)):
                cls.lab.connect(space, "eth0", cls.box, port, mac=address)
                for owner, interface in ((space, "eth0"), (cls.box, port)):
                    owner.run("ip", "link", "set", interface, "mtu", str(cls.mtu))
                space.run("sysctl", "-qw", "net.ipv4.tcp_ecn=1", "net.ipv4.tcp_fastopen=0x607", "net.ipv6.conf.eth0.disable_ipv6=0",
                          "net.ipv6.conf.eth0.router_solicitations=0")
            for space, ip, ip6 in ((cls.pump, PUMP_IP, PUMP6), (cls.server, SERVER_IP, SERVER6)):
                space.address("eth0", f"{ip}/16")
                space.run("ip", "-6", "addr", "add", f"{ip6}/64", "dev", "eth0", "nodad")
            store_policy(cls.lab.directory, POLICY)
            config = cls.lab.directory / "gateway.yaml"
            config.write_text(CONFIG.format(directory=cls.lab.directory, core=max(os.sched_getaffinity(0))))
            cls.gateway = cls.box.start("gateway", BIN / "cordon-gateway", "--config", config)
            cls.gateway.wait_for_output("enforcing generation 7 (stored)")
            cls.use_one_core()
            cls.server.start("iperf3", "iperf3", "-s")
            wait_until("iperf3 to listen", lambda: cls.server.listening(5201))
            wait_until("the hosts to find each other", lambda: cls.pump.run("ping", "-c1", "-W1", SERVER_IP, check=False).returncode == 0 and
                       cls.pump.run("ping", "-c1", "-W1", SERVER6, check=False).returncode == 0)
        except BaseException:
            cls.lab.close()
            raise

    @classmethod
    def use_one_core(cls):
        """Two cores that send for one host do so in another order than their witness sees."""
        cls.cores = os.sched_getaffinity(0)
        core = min(cls.cores)
        os.sched_setaffinity(0, {core})
        for space in (cls.pump, cls.server):
            space.run("sh", "-c", f"echo {1 << core:x} > /sys/class/net/eth0/queues/rx-0/rps_cpus")

    @classmethod
    def tearDownClass(cls):
        os.sched_setaffinity(0, cls.cores)
        cls.lab.close()

    @contextlib.contextmanager
    def like_a_wire(self, what, least):
        """Captures at both ends while the body runs; each direction must carry `least` frames or more, unchanged."""
        ends = {}
        for space in (self.pump, self.server):
            file = self.lab.directory / f"{what.replace(' ', '-')}-{space.name}.pcap"
            process = space.start(f"see-{file.stem}", "tcpdump", "-U", "-n", "-i", "eth0", "-w", file, "-s", "0", "-B", "65536",
                                  "--immediate-mode", "(ip or ip6) and not ether multicast and not (icmp6 and ip6[40] >= 133)")
            process.wait_for_output("listening on")
            ends[space.name] = (file, process)
        yield
        time.sleep(0.3)
        seen = {}
        for name, (file, process) in ends.items():
            process.stop(signal.SIGINT)
            self.assertIn("0 packets dropped by kernel", process.output(), "the witness itself lost frames")
            seen[name] = frames_of(file)
        counts = []
        for source, (sender, receiver) in ((PUMP, ("pump", "server")), (SERVER, ("server", "pump"))):
            sent = [f for f in seen[sender] if f[6:12] == mac(source)]
            arrived = [f for f in seen[receiver] if f[6:12] == mac(source)]
            counts.append(len(sent))
            at = next((i for i, (a, b) in enumerate(zip(sent, arrived)) if a != b), min(len(sent), len(arrived)))
            self.assertTrue(sent == arrived, f"{what}: {sender} sent {len(sent)} frames, {len(arrived)} arrived; the first that differs is "
                            f"{at}: {sent[at:at + 1]} as {arrived[at:at + 1]}")
            self.assertGreaterEqual(len(sent), least)
        print(f"  {what}: {counts[0]} frames one way and {counts[1]} the other, identical and in order", flush=True)

    def listener(self, space, port, family=socket.AF_INET):
        made = in_namespace(space, lambda: socket.socket(family, socket.SOCK_STREAM))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.settimeout(20)
        made.bind(("", port))
        made.listen(8)
        self.addCleanup(made.close)
        return made

    def client(self, space, family=socket.AF_INET, kind=socket.SOCK_STREAM):
        made = in_namespace(space, lambda: socket.socket(family, kind))
        made.settimeout(20)
        self.addCleanup(made.close)
        return made

    def transfer(self, listening, client, target, size):
        """Sends `size` random bytes to the listener; returns the server's end of the connection."""
        blob, got = os.urandom(size), bytearray()
        client.connect(target)
        accepted = listening.accept()[0]
        self.addCleanup(accepted.close)
        sender = threading.Thread(target=lambda: (client.sendall(blob), client.shutdown(socket.SHUT_WR)))
        sender.start()
        while chunk := accepted.recv(1 << 16):
            got += chunk
        sender.join()
        self.assertEqual(bytes(got), blob)
        return accepted

    def iperf3(self, *options):
        result = self.pump.run("iperf3", "-J", "-c", *options, timeout=60)
        return json.loads(result.stdout)["end"]

    def test_bulk_tcp_in_both_families_and_directions(self):
        # R091, R046, R019: bulk data as it was sent
        for name, target in (("IPv4", SERVER_IP), ("IPv6", SERVER6)):
            with self.like_a_wire(f"iperf3 over {name}", 500):
                up = self.iperf3(target, "-n", "12M", "-b", "400M")
                down = self.iperf3(target, "-n", "12M", "-b", "400M", "-R")
            self.assertGreaterEqual(up["sum_received"]["bytes"], 12e6)
            self.assertGreaterEqual(down["sum_received"]["bytes"], 12e6)

    def test_udp_streams(self):
        # R091
        with self.like_a_wire("iperf3 over UDP", 1):
            end = self.iperf3(SERVER_IP, "-u", "-b", "60M", "-l", "1200", "-t", "1")
        self.assertEqual(end["sum"]["lost_packets"], 0)

    def test_dicom_store(self):
        store = self.lab.directory / "archive"
        store.mkdir()
        self.server.start("storescp", "storescp", "--fork", "-od", store, "11112")
        wait_until("storescp", lambda: self.server.listening(11112))
        dump, image = self.lab.directory / "image.dump", self.lab.directory / "image.dcm"
        dump.write_text("(0008,0016) UI =SecondaryCaptureImageStorage\n(0008,0018) UI [1.2.276.0.7230010.3.1.4.1]\n"
                        "(0028,0010) US 512\n(0028,0011) US 512\n(0028,0100) US 8\n(7fe0,0010) OB " + "\\".join(["7f"] * 262144) + "\n")
        run(["dump2dcm", "--line", "1048576", "--write-xfer-little", dump, image])
        with self.like_a_wire("DICOM store", 10):
            for _ in range(5):
                self.pump.run("storescu", SERVER_IP, "11112", image)

    def test_hl7_over_mllp(self):
        self.server.start("mllp", ROOT / "scripts/lab/mllp.py", "server", "2575")
        wait_until("the HL7 server", lambda: self.server.listening(2575))
        with self.like_a_wire("HL7 over MLLP", 20):
            pump = self.pump.start("hl7", ROOT / "scripts/lab/mllp.py", "pump", SERVER_IP, "2575", "--interval", "0.02")
            wait_until("20 acknowledgements", lambda: pump.output().count('"ack"') >= 20)
            pump.stop()
        self.assertNotIn("timeout", pump.output())

    def test_fast_open_with_data_in_the_syn(self):
        # R077
        listening = self.listener(self.server, 5001)
        listening.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 8)
        with self.like_a_wire("TCP fast open", 3):
            for _ in range(3):
                client = self.client(self.pump)
                client.sendto(b"data in the SYN", MSG_FASTOPEN, (SERVER_IP, 5001))
                accepted = listening.accept()[0]
                self.assertEqual(accepted.recv(100), b"data in the SYN")
                accepted.sendall(b"answer")
                self.assertEqual(client.recv(100), b"answer")
                accepted.close()
                client.close()

    def marked_and_lost(self, space, expression):
        space.run("nft", f"add table inet lab; add chain inet lab in {{ type filter hook prerouting priority -300; }}; "
                  f"add chain inet lab out {{ type filter hook postrouting priority 300; }}; add rule inet lab {expression}")
        self.addCleanup(space.run, "nft", "delete table inet lab", check=False)

    def test_selective_acknowledgements_and_retransmissions(self):
        # R072, R079: what is lost behind the gateway comes again, out of order and with SACK, PAWS or not
        self.marked_and_lost(self.server, "in tcp dport 5002 numgen random mod 50 == 0 drop")
        with self.like_a_wire("loss and SACK", 300):
            accepted = self.transfer(self.listener(self.server, 5002), self.client(self.pump), (SERVER_IP, 5002), 3 << 20)
        options = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[5]
        self.assertEqual(options & 0xf, TIMESTAMPS | SACK | WINDOW_SCALE | ECN)

    def test_congestion_marks(self):
        self.marked_and_lost(self.pump, "out tcp dport 5003 ip ecn ect0 ip ecn set ce")
        with self.like_a_wire("ECN", 10):
            self.transfer(self.listener(self.server, 5003), self.client(self.pump), (SERVER_IP, 5003), 1 << 20)

    def test_peer_that_opens_and_sends(self):
        with self.like_a_wire("connection opened by the peer", 100):
            self.transfer(self.listener(self.pump, 3010), self.client(self.server), (PUMP_IP, 3010), 4 << 20)

    def test_path_mtu_discovery_in_both_families(self):
        # R087
        for family, target, cut in ((socket.AF_INET, SERVER_IP, 28), (socket.AF_INET6, SERVER6, 1232)):
            listening, client, wire = self.listener(self.server, 5004, family), self.client(self.pump, family), Wire(self.server, "eth0")
            with self.like_a_wire(f"path MTU of {target}", 5):
                client.connect((target, 5004))
                accepted = listening.accept()[0]
                client.sendall(bytes(1300))
                while True:
                    packet = Ether(wire.receive())
                    if TCP in packet and packet.src == PUMP and len(packet[TCP].payload) > 1000:
                        break
                packet[TCP].seq += len(packet[TCP].payload)
                quoted = bytes(packet.payload)[:cut]
                error = (IP(src="10.20.0.1", dst=PUMP_IP) / ICMP(type=3, code=4, nexthopmtu=1280) if family == socket.AF_INET else
                         IPv6(src=SERVER6, dst=PUMP6) / ICMPv6PacketTooBig(mtu=1280))
                wire.send(bytes(Ether(src=SERVER, dst=PUMP) / error / quoted))
                wait_until("the pump to learn the path's MTU", lambda t=target: "mtu 1280" in self.pump.run("ip", "route", "get", t).stdout, 5)
                client.sendall(bytes(5000))
                accepted.recv(6300, socket.MSG_WAITALL)
            for each in (listening, client, accepted, wire.socket):
                each.close()
            self.pump.run("ip", "-6" if family == socket.AF_INET6 else "-4", "route", "flush", "cache")

    def test_fragmented_datagrams_in_both_families(self):
        # R044, R046: fragments leave as they came
        with self.like_a_wire("fragments", 12):
            for target in (SERVER_IP, SERVER6):
                for size in (1600, 4000, 9000):
                    self.pump.run("ping", "-c", "2", "-i", "0.01", "-W", "2", "-s", str(size), target)

    def test_odd_but_legal_frames(self):
        # R003, R019, R025, R092: padding, low TTL, no payload, DSCP, no UDP checksum
        wire, sink = Wire(self.pump, "eth0"), self.client(self.server, kind=socket.SOCK_DGRAM)
        sink.bind(("", 5006))
        with self.like_a_wire("odd frames", 0):
            for layer, tail in ((IP(ttl=1), b"padding" * 6), (IP(tos=0xff), b""), (IP(flags=0, id=0), b"\xff"), (IP(ttl=255, flags="DF"), b"")):
                for datagram in (UDP(sport=4006, dport=5006), UDP(sport=4006, dport=5006, chksum=0) / b"x", UDP(sport=4006, dport=5006) / bytes(1400)):
                    wire.send(bytes(Ether(src=PUMP, dst=SERVER) / layer.__class__(bytes(layer.__class__(
                        src=PUMP_IP, dst=SERVER_IP, ttl=layer.ttl, tos=layer.tos, flags=layer.flags, id=layer.id) / datagram))) + tail)
            time.sleep(0.2)
        wire.socket.close()


class InvisibilityTest(Invisibility, unittest.TestCase):
    pass


if __name__ == "__main__":
    unittest.main(verbosity=2)
