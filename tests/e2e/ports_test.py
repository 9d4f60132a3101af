#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every way to connect a port, and what a port may suffer: long frames, several workers, links that
come and go, interfaces that vanish. Runs on a stored policy, without a controller."""
import os
import re
import signal
import socket
import struct
import time
import unittest

from support import BIN, Lab, wait_until
from wire import Wire, checksum, mac, store_policy, tag

SERVER, SERVER_IP = "02:00:00:00:02:20", "10.20.0.20"
DEVICES = [(f"02:00:00:00:01:{n:02x}", f"10.20.1.{n}") for n in range(1, 9)]
POLICY = """
gateway: "ports" generation: 7 pairs: "ward"
rulesets { name: "pump" rules { origin: "pump/telemetry" initiator: INITIATOR_DEVICE protocol: PROTOCOL_UDP
  prefixes { prefixes: "10.20.0.20/32" } peer_ports { first: 5000 last: 5000 } } }
""" + "\n".join(
    f'devices {{ name: "pump-{n}" pair: "ward" macs: "{m}" ips: "{ip}" mode: MODE_ENFORCE }}'
    for n, (m, ip) in enumerate(DEVICES)) + """
devices { name: "pump-tagged" pair: "ward" vlan { outer: 100 inner: 30 } macs: "02:00:00:00:01:01" ips: "10.20.1.1"
  mode: MODE_ENFORCE }
"""
THEATRE = """pairs: "theatre"
devices { name: "theatre" pair: "theatre" macs: "02:00:00:00:01:f0" ips: "10.20.1.240" mode: MODE_OBSERVE }
"""


def udp(payload, owner=DEVICES[0], reply=False, port=40000, tags=b""):
    ends = [(*owner, port), (SERVER, SERVER_IP, 5000)]
    (source, source_ip, source_port), (destination, destination_ip, destination_port) = ends[::-1] if reply else ends
    addresses = socket.inet_aton(source_ip) + socket.inet_aton(destination_ip)
    head = struct.pack("!HHHH", source_port, destination_port, 8 + len(payload), 0)
    total = checksum(addresses + struct.pack("!BBH", 0, 17, 8 + len(payload)) + head + payload)
    segment = head[:6] + struct.pack("!H", total or 0xffff) + payload
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0x1234, 0x4000, 63, 17, 0)
    ip = ip[:10] + struct.pack("!H", checksum(ip + addresses))
    return mac(destination) + mac(source) + tags + b"\x08\x00" + ip + addresses + segment


class PortsTest(unittest.TestCase):
    """Each test builds its own lab."""

    def setUp(self):
        self.lab = Lab()
        self.addCleanup(self.lab.close)
        self.box = self.lab.namespace("box")
        self.sequence_number = 0
        store_policy(self.lab.directory, POLICY)

    def cable(self, name, interface, address, mtu=1500):
        """A host whose eth0 is connected to an interface of the box; returns its wire."""
        host = self.lab.namespace(name)
        self.lab.connect(host, "eth0", self.box, interface, mac=address)
        host.run("ip", "link", "set", "eth0", "mtu", str(mtu))
        return self.wire(host, "eth0")

    def wire(self, namespace, interface):
        wire = Wire(namespace, interface)
        self.addCleanup(wire.socket.close)
        return wire

    def configure(self, pairs, cores=1, mtu=1500, megabytes=96, name="gateway"):
        allowed = sorted(os.sched_getaffinity(0))
        file = self.lab.directory / f"{name}.yaml"
        file.write_text(f"""
gateway: ports
state_directory: {self.lab.directory}/state
pairs: [{pairs}]
workers: {{cores: {allowed[-cores:]}, idle_backoff: {{after_polls: 100, max_sleep: 100us}}}}
memory: {{hugepages: false, megabytes: {megabytes}}}
mtu: {mtu}
metrics: {{listen: "127.0.0.1:9464"}}
status_socket: off
""")
        return file

    def start(self, *args, name="gateway", **kwargs):
        config = self.configure(*args, name=name, **kwargs)
        gateway = self.box.start(name, BIN / "cordon-gateway", "--config", config)
        gateway.wait_for_output("enforcing generation 7 (stored)", 60)
        return gateway

    def refused(self, message, *args, **kwargs):
        result = self.box.run(BIN / "cordon-gateway", "--config", self.configure(*args, name="no", **kwargs), check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn(message, result.stderr)

    def metric(self, name, **labels):
        time.sleep(0.12)  # scrapes within 100 ms share one rendering
        text = self.box.run("curl", "-sf", "http://127.0.0.1:9464/metrics").stdout
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if re.match(name + r"[ {]", line) and all(f'{k}="{v}"' in line for k, v in labels.items()))

    def payload(self, size=16):
        self.sequence_number += 1
        return (b"%08d" % self.sequence_number) + bytes(max(0, size - 8))

    def both_ways(self, device, network, size=16, **kwargs):
        """A frame from the device, the reply, and a forbidden one that must not arrive."""
        sent = udp(self.payload(size), **kwargs)
        device.send(sent)
        self.assertEqual(network.receive_until(sent), [])
        reply = udp(self.payload(size), reply=True, **kwargs)
        network.send(reply)
        self.assertEqual(device.receive_until(reply), [])
        device.send(udp(self.payload(), owner=("02:00:00:00:01:99", "10.20.1.99")))
        sent = udp(self.payload(), **kwargs)
        device.send(sent)
        self.assertEqual(network.receive_until(sent), [])

    def wards(self, mtu=1500):
        return self.cable("device", "d0", DEVICES[0][0], mtu), self.cable("network", "n0", SERVER, mtu)

    # --- drivers

    def test_tap(self):
        self.start("{name: ward, link_propagation: on, device_side: {port: 'net_tap0,iface=t0'}, "
                   "network_side: {port: 'net_tap1,iface=t1'}}")
        device, network = self.wire(self.box, "t0"), self.wire(self.box, "t1")
        self.both_ways(device, network)
        self.box.run("ip", "link", "set", "t0", "down")
        wait_until("the other side to be taken down", lambda: "UP" not in self.box.run("ip", "link", "show", "t1").stdout)
        self.box.run("ip", "link", "set", "t0", "up")
        wait_until("both ports", lambda: self.metric("cordon_port_link_up") == 2)
        wait_until("frames to pass again", lambda: self.arrives(device, network))

    def test_memif(self):
        """Two gateways in a row, memif between them: each judges what the other let pass."""
        device, network = self.wards()
        link = self.lab.directory / "memif.sock"
        memif = f"net_memif0,socket={link},socket-abstract=no"
        self.start(f"{{name: ward, device_side: {{interface: d0}}, network_side: {{port: '{memif},role=server'}}}}")
        inner = self.configure(
            f"{{name: ward, device_side: {{port: '{memif},role=client'}}, network_side: {{interface: n0}}}}", name="inner")
        inner.write_text(inner.read_text().replace("9464", "9465"))
        second = self.box.start("inner", BIN / "cordon-gateway", "--config", inner)
        second.wait_for_output("enforcing generation 7 (stored)", 60)
        wait_until("memif to connect", lambda: self.metric("cordon_port_link_up", side="network") == 1)
        self.both_ways(device, network)

    def test_pcap(self):
        """Live by libpcap on one side; from and to files is what the unit tests of io do."""
        device, network = self.wards()
        for interface in ("d0", "n0"):
            self.box.run("ip", "link", "set", interface, "promisc", "on", "arp", "off")
        self.start("{name: ward, device_side: {port: 'net_pcap0,rx_iface_in=d0,tx_iface=d0'}, "
                   "network_side: {port: 'net_pcap1,rx_iface_in=n0,tx_iface=n0'}}")
        self.both_ways(device, network)

    def test_kernel_driver_given_as_a_device_string_is_refused(self):
        self.refused("pairs[0].device_side: an interface of the kernel is given as interface: NAME",
                     "{name: ward, device_side: {port: 'net_af_packet0,iface=lo'}, network_side: {port: net_null0}}")

    # --- long frames

    def test_jumbo_frames_leave_as_they_came(self):
        device, network = self.wards(9004)
        self.start("{name: ward, device_side: {interface: d0}, network_side: {interface: n0}}", mtu=9000, megabytes=320)
        for size in (1472, 1473, 2000, 4096, 8971, 8972):
            self.both_ways(device, network, size)
        # QinQ of full length: two tags on top of the MTU.
        sent = udp(self.payload(8972), tags=tag(100) + tag(30))
        device.send(sent)
        self.assertEqual(network.receive_until(sent), [])

    def test_jumbo_frames_in_chained_buffers_leave_as_they_came(self):
        """memif takes a frame of 9000 bytes in five buffers; a checksum over them is verified."""
        device, network = self.wards(9004)
        link = self.lab.directory / "memif.sock"
        memif = f"net_memif0,socket={link},socket-abstract=no"
        self.start(f"{{name: ward, device_side: {{interface: d0}}, network_side: {{port: '{memif},role=server'}}}}",
                   mtu=9000, megabytes=320)
        inner = self.configure(f"{{name: ward, device_side: {{port: '{memif},role=client'}}, network_side: {{interface: n0}}}}",
                               name="inner", mtu=9000, megabytes=320)
        inner.write_text(inner.read_text().replace("9464", "9465"))
        second = self.box.start("inner", BIN / "cordon-gateway", "--config", inner)
        second.wait_for_output("enforcing generation 7 (stored)", 60)
        wait_until("memif to connect", lambda: self.metric("cordon_port_link_up", side="network") == 1)
        for size in (1472, 2020, 2021, 8971, 8972):
            self.both_ways(device, network, size)

    def test_longest_doubly_tagged_frame(self):
        device, network = self.wards(1504)
        self.start("{name: ward, device_side: {interface: d0}, network_side: {interface: n0}}")
        sent = udp(self.payload(1472), tags=tag(100) + tag(30))
        device.send(sent)
        self.assertEqual(network.receive_until(sent), [])

    def test_af_xdp_refuses_frames_it_cannot_carry(self):
        self.wards()
        self.refused("carries an MTU of at most",
                     "{name: ward, device_side: {interface: d0, driver: af_xdp}, network_side: {interface: n0}}", mtu=9000,
                     megabytes=320)

    # --- several workers

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "two cores are needed")
    def test_workers_that_share_a_pair_forward_both_directions_of_every_device(self):
        device, network = self.wards()
        self.start("{name: ward, workers: 2, device_side: {interface: d0}, network_side: {interface: n0}}", cores=2,
                   megabytes=160)
        for each in DEVICES:
            for port in (40000, 40001, 40002):
                self.both_ways(device, network, owner=each, port=port)
        for worker in ("0", "1"):  # and both had something to do
            self.assertGreater(self.metric("cordon_flows_admitted_total", worker=worker), 0)

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "two cores are needed")
    def test_driver_that_cannot_deal_out_is_refused_for_two_workers(self):
        self.refused("cannot deal frames out to several workers: workers: 1",
                     "{name: ward, workers: 2, device_side: {port: net_ring0}, network_side: {port: net_ring1}}", cores=2)

    # --- links

    def link_of(self, name):
        flags = self.lab.namespaces[name].run("cat", "/sys/class/net/eth0/carrier", check=False)
        return flags.stdout.strip() == "1"

    def pull(self, name, state):
        self.lab.namespaces[name].run("ip", "link", "set", "eth0", state)

    def test_lost_link_is_shown_on_the_other_side_within_100_ms(self):
        device, network = self.wards()
        gateway = self.start("{name: ward, link_propagation: on, device_side: {interface: d0}, network_side: {interface: n0}}")
        for lost, shown in (("device", "network"), ("network", "device")):
            self.pull(lost, "down")
            begin = time.monotonic()
            wait_until("the other side to lose its link", lambda: not self.link_of(shown), 5)
            self.assertLess(time.monotonic() - begin, 0.1 + 0.1)  # half of it is ours: a process a look
            self.assertEqual(self.metric("cordon_port_link_held_down", side=shown), 1)
            self.assertEqual(self.metric("cordon_port_link_up", side=lost), 0)
            self.pull(lost, "up")
            wait_until("the link to be back", lambda: self.link_of(shown), 5)
            wait_until("both ports", lambda: self.metric("cordon_port_link_up") == 2)
            self.assertEqual(self.metric("cordon_port_link_held_down"), 0)
        self.assertIn("network side: taken down because the other side has no link", gateway.output())
        wait_until("frames to pass again", lambda: self.arrives(device, network))
        self.both_ways(device, network)

    def arrives(self, device, network):
        network.socket.settimeout(0.2)
        try:
            sent = udp(self.payload())
            device.send(sent)
            network.receive_until(sent)
            return True
        except (TimeoutError, OSError):
            return False
        finally:
            network.socket.settimeout(5)

    def test_links_that_flap_end_with_both_ports_up_and_every_buffer_back(self):
        device, network = self.wards()
        self.start("{name: ward, link_propagation: on, device_side: {interface: d0}, network_side: {interface: n0}}")
        for i in range(200):
            for state in ("down", "up"):
                self.pull(("device", "network")[i % 2], state)
            if i % 4 == 0:
                self.arrives(device, network)
        wait_until("both ports", lambda: self.metric("cordon_port_link_up") == 2, 20)
        wait_until("frames to pass again", lambda: self.arrives(device, network))
        self.both_ways(device, network)
        size = self.metric("cordon_mbuf_pool_size")
        wait_until("every buffer", lambda: self.metric("cordon_mbuf_pool_available") == size, 5)

    def test_link_stays_up_without_propagation(self):
        self.wards()
        self.start("{name: ward, device_side: {interface: d0}, network_side: {interface: n0}}")
        self.pull("device", "down")
        wait_until("the loss to be seen", lambda: self.metric("cordon_port_link_up", side="device") == 0)
        self.assertTrue(self.link_of("network"))
        self.assertEqual(self.metric("cordon_port_link_changes_total", side="device"), 1)

    def test_port_that_cannot_switch_its_link_is_refused(self):
        self.refused("pairs[0].link_propagation: driver net_null",
                     "{name: ward, link_propagation: on, device_side: {port: net_null0}, network_side: {port: net_null1}}")

    def test_interface_that_vanishes_leaves_other_pairs_alone(self):
        # R116
        store_policy(self.lab.directory, POLICY + THEATRE)
        device, network = self.wards()
        self.cable("theatre-device", "d1", "02:00:00:00:01:f0")
        self.cable("theatre-network", "n1", "02:00:00:00:02:f1")
        gateway = self.start("{name: ward, device_side: {interface: d0}, network_side: {interface: n0}}, "
                             "{name: theatre, device_side: {interface: d1}, network_side: {interface: n1}}")
        self.box.run("ip", "link", "del", "d1")
        wait_until("the loss to be seen", lambda: self.metric("cordon_port_present", pair="theatre", side="device") == 0)
        self.assertIn("pair theatre, device side: port has gone", gateway.output())
        theatre = self.wire(self.lab.namespaces["theatre-network"], "eth0")
        for _ in range(50):
            theatre.send(udp(self.payload(), owner=("02:00:00:00:01:f0", "10.20.1.240"), reply=True))
        self.both_ways(device, network)
        self.assertEqual(gateway.stop(signal.SIGTERM), 0)

    # --- start, stop, least functionality

    def test_nothing_passes_before_the_policy_is_enforced_nor_after_the_end(self):
        # R110
        device, network = self.wards()
        config = self.configure("{name: ward, device_side: {interface: d0}, network_side: {interface: n0}}")
        forbidden = udp(self.payload(), port=1, owner=("02:00:00:00:01:99", "10.20.1.99"))
        for round_number in range(3):
            gateway = self.box.start(f"gateway{round_number}", BIN / "cordon-gateway", "--config", config)
            while "enforcing generation 7 (stored)" not in gateway.output():
                self.assertTrue(gateway.alive(), gateway.output())
                device.send(forbidden)
                time.sleep(0.001)
            sent = udp(self.payload())
            device.send(sent)
            self.assertEqual(network.receive_until(sent), [])
            gateway.stop((signal.SIGTERM, signal.SIGKILL, signal.SIGTERM)[round_number])
            device.send(udp(self.payload()))
        network.socket.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            network.receive()

    def test_restart_with_a_thousand_devices_enforces_within_two_seconds(self):
        # R112
        self.wards()
        devices = "\n".join(
            f'devices {{ name: "d{n}" pair: "ward" macs: "02:00:00:01:{n >> 8:02x}:{n & 255:02x}" '
            f'ips: "10.40.{n >> 8}.{n & 255}" mode: MODE_ENFORCE }}' for n in range(1000))
        store_policy(self.lab.directory, POLICY + devices)
        gateway = self.start("{name: ward, device_side: {interface: d0}, network_side: {interface: n0}}")
        gateway.stop(signal.SIGKILL)
        begin = time.monotonic()
        self.start("{name: ward, device_side: {interface: d0}, network_side: {interface: n0}}", name="again")
        took = time.monotonic() - begin
        print(f"restart to enforcing 1008 devices: {took:.2f} s")
        self.assertLess(took, 2 * max(1.0, os.getloadavg()[0]))  # generous where others use the machine

    def test_nothing_listens_on_data_interfaces(self):
        # R144
        device, network = self.wards()
        self.start("{name: ward, device_side: {interface: d0}, network_side: {interface: n0}}")
        listening = [line.split()[4] for line in self.box.run("ss", "-Hltun").stdout.splitlines()]
        self.assertEqual(listening, ["127.0.0.1:9464"])
        self.assertNotIn("inet", self.box.run("ip", "-o", "addr", "show", "d0").stdout)
        self.both_ways(device, network)

    def test_scrapes_do_not_hold_up_frames(self):
        # R143
        device, network = self.wards()
        self.start("{name: ward, device_side: {interface: d0}, network_side: {interface: n0}}")
        scraper = self.box.start("scraper", "sh", "-c",
                                 "while :; do curl -sf http://127.0.0.1:9464/metrics >/dev/null; done")
        for _ in range(100):
            for _ in range(32):
                device.send(udp(self.payload()))
            last = udp(self.payload())
            device.send(last)
            self.assertEqual(len(network.receive_until(last)), 32)
        scraper.stop(signal.SIGKILL)
        self.assertEqual(self.metric("cordon_port_receive_missed_frames_total"), 0)
        self.assertEqual(self.metric("cordon_transmit_failed_frames_total"), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
