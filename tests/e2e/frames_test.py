# SPDX-License-Identifier: Apache-2.0
"""What cordon-gateway does with frames on real interfaces: those that may pass leave byte-identical,
the others not at all. Runs on the stored policy alone, without a controller."""
import os
import signal
import socket
import struct
import time
import unittest

from support import BIN, Lab, wait_until
from wire import Wire, checksum, in_namespace, mac, store_policy, tag

PUMP, NURSE, SERVER = "02:00:00:00:01:21", "02:00:00:00:01:22", "02:00:00:00:02:20"
PUMP_IP, SERVER_IP = "10.20.1.21", "10.20.0.20"
POLICY = """
gateway: "frames" generation: 7 pairs: "ward"
rulesets { name: "pump" rules { origin: "pump/telemetry" initiator: INITIATOR_DEVICE protocol: PROTOCOL_UDP
  prefixes { prefixes: "10.20.0.20/32" } peer_ports { first: 5000 last: 5000 } } }
devices { name: "pump" pair: "ward" macs: "02:00:00:00:01:21" ips: "10.20.1.21" mode: MODE_ENFORCE }
devices { name: "pump-30" pair: "ward" vlan { outer: 30 } macs: "02:00:00:00:01:21" ips: "10.20.1.21" mode: MODE_ENFORCE }
devices { name: "pump-100-30" pair: "ward" vlan { outer: 100 inner: 30 } macs: "02:00:00:00:01:21" ips: "10.20.1.21"
  mode: MODE_ENFORCE }
"""
CONFIG = """
gateway: frames
state_directory: {directory}/state
pairs: [{{name: ward, device_side: {{interface: d0{driver}}}, network_side: {{interface: n0{driver}}}}}]
workers: {{cores: [{core}], idle_backoff: {{after_polls: 100, max_sleep: 100us}}}}
memory: {{hugepages: false, megabytes: 96}}
metrics: {{listen: "127.0.0.1:9464"}}
status_socket: {directory}/gateway.sock
"""


def udp(payload=b"infusing", source=PUMP, destination=SERVER, source_ip=PUMP_IP, destination_ip=SERVER_IP,
        ports=(40000, 5000), tags=b"", trailer=b""):
    """A frame with a UDP packet in it; `tags` lie before the ethertype, `trailer` behind the packet."""
    addresses = socket.inet_aton(source_ip) + socket.inet_aton(destination_ip)
    head = struct.pack("!HHHH", *ports, 8 + len(payload), 0)
    sum_udp = checksum(addresses + struct.pack("!BBH", 0, 17, 8 + len(payload)) + head + payload)
    segment = head[:6] + struct.pack("!H", sum_udp or 0xffff) + payload
    ip = struct.pack("!BBHHHBBH", 0x45, 0xb8, 20 + len(segment), 0x1234, 0x4000, 63, 17, 0)
    ip = ip[:10] + struct.pack("!H", checksum(ip + addresses))
    return mac(destination) + mac(source) + tags + b"\x08\x00" + ip + addresses + segment + trailer


def fragment(head, payload, offset, more):
    """A piece of the packet whose Ethernet and IPv4 headers are `head`."""
    ip = head[14:16] + struct.pack("!HHH", 20 + len(payload), 0x4321, more << 13 | offset // 8) + head[22:24]
    return head[:14] + ip + struct.pack("!H", checksum(ip + head[26:34])) + head[26:34] + payload


class Frames:
    """The cases; each way to reach an interface runs them."""
    driver = ""

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        try:
            cls.box = cls.lab.namespace("box")
            device, network = cls.lab.namespace("device"), cls.lab.namespace("network")
            cls.lab.connect(device, "eth0", cls.box, "d0", mac=PUMP)
            cls.lab.connect(network, "eth0", cls.box, "n0", mac=SERVER)
            cls.device, cls.network = Wire(device, "eth0"), Wire(network, "eth0")
            store_policy(cls.lab.directory, POLICY)
            cls.config = cls.lab.directory / "gateway.yaml"
            cls.config.write_text(CONFIG.format(directory=cls.lab.directory, driver=cls.driver,
                                                core=max(os.sched_getaffinity(0))))
            cls.start_gateway()
        except BaseException:
            cls.lab.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.lab.close()

    @classmethod
    def start_gateway(cls, name="gateway"):
        cls.gateway = cls.box.start(name, BIN / "cordon-gateway", "--config", cls.config)
        cls.gateway.wait_for_output("enforcing generation 7 (stored)")

    def sequence(self):
        """A number no frame before had, to tell frames apart."""
        Frames.count = getattr(Frames, "count", 0) + 1
        return b"frame %08d" % Frames.count

    def passes(self, frame, source=None, destination=None):
        (source or self.device).send(frame)
        self.assertEqual((destination or self.network).receive().hex(), frame.hex())

    def refused(self, frame, reason):
        before = self.dropped(reason)
        self.device.send(frame)
        sentinel = udp(self.sequence())
        self.device.send(sentinel)
        self.assertEqual(self.network.receive_until(sentinel), [], "nothing but the sentinel may arrive")
        self.assertGreater(self.dropped(reason), before)

    def dropped(self, reason):
        time.sleep(0.12)  # scrapes within 100 ms share one rendering
        text = self.box.run("curl", "-sf", "http://127.0.0.1:9464/metrics").stdout
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if line.startswith("cordon_dropped_frames_total{") and f'reason="{reason}"' in line)

    # --- what passes leaves byte-identical

    def test_untagged_frame(self):
        self.passes(udp(self.sequence()))

    def test_frame_with_padding_and_trailer_bytes(self):
        self.passes(udp(b"x", trailer=bytes(range(17))))

    def test_longest_untagged_frame(self):
        self.passes(udp(self.sequence() + bytes(1500 - 28 - 14)))

    def test_tagged_frame(self):
        self.passes(udp(self.sequence(), tags=tag(30, priority=5)))

    def test_longest_tagged_frame(self):
        self.passes(udp(self.sequence() + bytes(1500 - 28 - 14), tags=tag(30)))

    def test_priority_tagged_frame(self):
        self.passes(udp(self.sequence(), tags=tag(0, priority=6)))

    def test_doubly_tagged_frame_with_a_customer_tag_outside(self):
        self.passes(udp(self.sequence(), tags=tag(100, priority=3) + tag(30)))

    def test_reply_of_the_peer(self):
        self.passes(udp(self.sequence(), ports=(40001, 5000)))
        self.passes(udp(self.sequence(), source=SERVER, destination=PUMP, source_ip=SERVER_IP, destination_ip=PUMP_IP,
                        ports=(5000, 40001)), self.network, self.device)

    def test_fragments_are_not_put_together(self):
        datagram = udp(self.sequence() + bytes(800))
        head, payload = datagram[:34], datagram[34:]
        fragments = [fragment(head, payload[:400], 0, more=True), fragment(head, payload[400:], 400, more=False)]
        for each in fragments:
            self.device.send(each)
        sentinel = udp(self.sequence())
        self.device.send(sentinel)
        for frame in self.network.receive_until(sentinel):
            self.assertIn(frame, fragments)

    # --- what may not pass does not pass, and is counted by its reason

    def test_other_l4_port(self):
        self.refused(udp(self.sequence(), ports=(40000, 5001)), "no_rule")

    def test_unknown_device(self):
        self.refused(udp(self.sequence(), source=NURSE), "unknown_device")

    def test_spoofed_source(self):
        self.refused(udp(self.sequence(), source_ip="10.20.1.99"), "source_not_bound")

    def test_unsolicited_frame_from_the_network(self):
        self.network.send(udp(self.sequence(), source=SERVER, destination=PUMP, source_ip=SERVER_IP,
                              destination_ip=PUMP_IP, ports=(5000, 40999)))
        sentinel = udp(self.sequence(), ports=(41000, 5000))
        self.passes(sentinel)
        reply = udp(self.sequence(), source=SERVER, destination=PUMP, source_ip=SERVER_IP, destination_ip=PUMP_IP,
                    ports=(5000, 41000))
        self.network.send(reply)
        self.assertEqual(self.device.receive_until(reply), [])

    def test_interface_is_silent(self):
        # R144
        flags = int(self.box.run("cat", "/sys/class/net/d0/flags").stdout, 16)
        self.assertTrue(flags & 0x80, "no ARP of this machine")
        features = self.box.run("ethtool", "-k", "d0").stdout
        self.assertIn("tx-checksumming: off", features)

    def test_frames_to_this_machine_do_not_reach_its_stack(self):
        # R144
        self.box.address("lo", "10.9.9.9/32")
        listener = in_namespace(self.box, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        listener.bind(("10.9.9.9", 7777))
        listener.setblocking(False)
        own_mac = self.box.run("cat", "/sys/class/net/d0/address").stdout.strip()
        for destination in (own_mac, "ff:ff:ff:ff:ff:ff"):
            self.device.send(udp(self.sequence(), destination=destination, destination_ip="10.9.9.9", ports=(40000, 7777)))
        self.passes(udp(self.sequence()))
        with self.assertRaises(BlockingIOError):
            listener.recv(100)
        listener.close()

    # --- the environment

    def test_flows_resume_after_links_flapped(self):
        for interface in ("d0", "n0", "d0", "n0"):
            for state in ("down", "up"):
                self.box.run("ip", "link", "set", interface, state)
        self.resume(self.device, self.network, udp)
        self.resume(self.network, self.device, lambda payload: udp(
            payload, source=SERVER, destination=PUMP, source_ip=SERVER_IP, destination_ip=PUMP_IP, ports=(5000, 40000)))

    def resume(self, source, destination, make):
        """Sends frames until the link carries them again; none may come twice or out of order."""
        sent = []
        destination.socket.settimeout(0.2)
        try:
            for _ in range(50):
                sent.append(make(self.sequence()))
                source.send(sent[-1])
                try:
                    first = destination.receive()
                    break
                except TimeoutError:
                    pass
            else:
                self.fail("no frame came through any more")
        finally:
            destination.socket.settimeout(5)
        last = make(self.sequence())
        source.send(last)
        arrived = [first, *destination.receive_until(last)]
        self.assertEqual(arrived, [frame for frame in sent if frame in arrived])

    # --- start and stop

    def refused_start(self, message, **changes):
        text = self.config.read_text()
        for old, new in {"9464": "9465", "gateway.sock": "other.sock", **changes}.items():
            text = text.replace(old, new)
        config = self.lab.directory / "refused.yaml"
        config.write_text(text)
        result = self.box.run(BIN / "cordon-gateway", "--config", config, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn(message, result.stderr)
        self.passes(udp(self.sequence()))  # and the one that runs goes on

    def test_start_with_an_interface_that_is_not_there(self):
        self.refused_start("pairs[0].device_side: no network interface 'd7'", d0="d7")

    def test_start_with_an_interface_that_has_an_address(self):
        self.refused_start("pairs[0].device_side: interface 'lo' has an IP address", d0="lo")

    def test_start_with_an_interface_of_another_gateway(self):
        self.refused_start("pairs[0].device_side: interface 'd0' is a port of another cordon-gateway")

    def test_start_with_too_little_memory(self):
        self.refused_start("memory.megabytes: 96 MiB do not hold", **{
            "megabytes: 96": "megabytes: 96, mbufs: 1000000", f"interface: d0{self.driver}": "port: net_null0",
            f"interface: n0{self.driver}": "port: net_null1"})

    def test_zz_nothing_passes_after_the_end_and_without_a_policy(self):
        # R110
        self.assertEqual(self.gateway.stop(signal.SIGTERM), 0, self.gateway.output())
        (self.lab.directory / "state/policy.last").rename(self.lab.directory / "kept")
        self.device.send(udp(self.sequence()))
        silent = self.box.start("silent", BIN / "cordon-gateway", "--config", self.config)
        silent.wait_for_output("everything is denied on all pairs")
        self.device.send(udp(self.sequence()))
        wait_until("the frame to be refused", lambda: self.dropped("no_policy") >= 1)
        self.assertEqual(silent.stop(signal.SIGTERM), 0)
        (self.lab.directory / "kept").rename(self.lab.directory / "state/policy.last")
        self.start_gateway("again")
        sentinel = udp(self.sequence())
        self.device.send(sentinel)
        self.assertEqual(self.network.receive_until(sentinel), [])


class AfPacketTest(Frames, unittest.TestCase):

    def test_service_tag_the_kernel_cannot_hand_over(self):
        self.refused(udp(self.sequence(), tags=tag(30, tpid=0x88a8)), "vlan_tag_lost")
        self.refused(udp(self.sequence(), tags=tag(100, tpid=0x88a8) + tag(30)), "vlan_tag_lost")


    def test_frame_that_does_not_fit_a_buffer(self):
        for space, interface in ((self.lab.namespaces["device"], "eth0"), (self.box, "d0")):
            space.run("ip", "link", "set", interface, "mtu", "4000")
        self.refused(udp(self.sequence() + bytes(3000)), "frame_too_long")


    def test_restart_with_a_thousand_devices(self):
        # R112
        devices = "".join(f'devices {{ name: "d{n}" pair: "ward" macs: "02:00:00:01:{n >> 8:02x}:{n & 255:02x}" '
                          f'ips: "10.21.{n >> 8}.{n & 255}" mode: MODE_ENFORCE }}\n' for n in range(1000))
        self.assertEqual(self.gateway.stop(signal.SIGTERM), 0)
        store_policy(self.lab.directory, POLICY + devices)
        start = time.monotonic()
        type(self).start_gateway("thousand")
        self.passes(udp(self.sequence()))
        self.assertLess(time.monotonic() - start, 2)


class AfXdpTest(Frames, unittest.TestCase):
    driver = ", driver: af_xdp"

    def test_service_tags_pass_unchanged(self):
        self.passes(udp(self.sequence(), tags=tag(30, tpid=0x88a8, priority=2)))
        self.passes(udp(self.sequence(), tags=tag(100, tpid=0x88a8) + tag(30)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
