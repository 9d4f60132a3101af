#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What devices and their peers legally do, as real stacks do it, must not be cut off: odd TCP openings and endings,
reboots, IPv6, DHCP, path MTU discovery, a server that fails over, pushes and restarts under running connections."""
import os
import select
import signal
import socket
import struct
import threading
import time
import unittest

from support import HospitalTest, address, wait_until

from scapy.all import BOOTP, DHCP, ICMP, IP, TCP, UDP, Ether  # noqa: E402
from wire import Wire, in_namespace  # noqa: E402

PUMP_MAC, PUMP_IP, PEER_IP, SERVICES_IP = "02:00:00:00:01:21", address("pump"), address("pumpserver"), address("services")
PUMP6, PEER6 = "fd00:20::1:21", "fd00:20::20"
POLICY = """kind: Profile
name: legal
rules:
  - {{id: out, initiator: device, peer: [{peer}, "{peer6}"], protocol: tcp, peer_ports: ["5000-5999"], reason: device opens}}
  - {{id: in, initiator: peer, peer: [{peer}], protocol: tcp, device_ports: [3010], reason: C-MOVE style}}
  - {{id: ask, initiator: device, peer: [{peer}], protocol: udp, peer_ports: [5000], reason: question and late answer}}
  - {{id: ping, initiator: device, peer: [{peer}], protocol: icmp, icmp_types: [8], reason: device asks}}
  - {{id: pinged, initiator: peer, peer: [{peer}], protocol: icmp, icmp_types: [8], reason: peer asks}}
  - {{id: search, initiator: device, peer: [239.255.255.250, 224.0.0.251], protocol: udp, reason: SSDP and mDNS out}}
  - {{id: found, initiator: peer, peer: [{peer}], protocol: udp, peer_ports: [1900, 5353], reason: SSDP and mDNS in}}
  - {{id: lease, initiator: device, peer: [255.255.255.255, {services}], protocol: udp, peer_ports: [67], device_ports: [68], reason: lease}}
  - {{id: leased, initiator: peer, peer: [{services}], protocol: udp, peer_ports: [67], device_ports: [68], reason: lease}}
  - {{id: changes, initiator: device, peer: [{peer}], protocol: tcp, peer_ports: [{port}], reason: differs in each push}}
---
kind: Device
name: pump-1
identity: {{mac: ["{mac}"], ip: [{pump}, "{pump6}"]}}
class: infusion-pump
profile: legal
gateway: lab-gateway
pair: ward
mode: enforce
"""
TCP_REPAIR, TCP_FASTOPEN, MSG_FASTOPEN, SO_RCVBUFFORCE = 19, 23, 0x20000000, 33
TIMESTAMPS, SACK, WINDOW_SCALE, ECN = 1, 2, 4, 8  # bits of tcpi_options
LATE = 5  # seconds until the late UDP answer


def policy(port):
    return POLICY.format(peer=PEER_IP, peer6=PEER6, services=SERVICES_IP, mac=PUMP_MAC, pump=PUMP_IP, pump6=PUMP6, port=port)


class LegalTrafficTest(HospitalTest):
    services = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            cls.pump, cls.peer = cls.hospital.host["pump"], cls.hospital.host["pumpserver"]
            cls.apply(cls, "legal.yaml", policy(7000))
            for space in (cls.pump, cls.peer):
                space.run("sysctl", "-qw", "net.ipv4.tcp_ecn=1", "net.ipv4.tcp_fastopen=0x607",
                          "net.ipv6.conf.eth0.disable_ipv6=0", "net.ipv6.conf.eth0.dad_transmits=1")
            cls.closing = []
        except BaseException:
            cls.lab.close()
            raise

    def tearDown(self):
        while self.closing:
            self.closing.pop().close()

    # --- sockets that live in a host's namespace

    def endpoint(self, space, kind=socket.SOCK_STREAM, family=socket.AF_INET, port=0):
        made = in_namespace(space, lambda: socket.socket(family, kind))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.settimeout(8)
        if port:
            made.bind(("", port))
        self.closing.append(made)
        return made

    def wire(self, space):
        made = Wire(space, "eth0")
        self.closing.append(made.socket)
        return made

    def listener(self, space, port, family=socket.AF_INET):
        made = self.endpoint(space, family=family, port=port)
        made.listen(8)
        return made

    def connection(self, port=5000, from_port=0):
        """A connection from the pump to the peer; both ends."""
        server = self.listener(self.peer, port)
        client = self.endpoint(self.pump, port=from_port)
        client.connect((PEER_IP, port))
        accepted = server.accept()[0]
        accepted.settimeout(8)
        self.closing.append(accepted)
        return client, accepted, server

    def talk(self, a, b, text=b"infusing"):
        for end, other in ((a, b), (b, a)):
            end.sendall(text)
            self.assertEqual(other.recv(100), text)

    # --- TCP

    def test_half_closed_connection_carries_the_rest(self):
        client, server, _ = self.connection()
        client.sendall(b"send me all")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(server.recv(100) + server.recv(100), b"send me all")
        time.sleep(0.5)
        blob = os.urandom(1 << 20)
        threading.Thread(target=lambda: (server.sendall(blob), server.close())).start()
        got = b""
        while chunk := client.recv(65536):
            got += chunk
        self.assertEqual(got, blob)

    def test_simultaneous_open(self):
        # Both call at once. The peer may not, but its stack then answers the pump's SYN from SYN-SENT.
        ends = [self.endpoint(self.peer, port=5100), self.endpoint(self.pump, port=41000)]
        for end, target in zip(ends, ((PUMP_IP, 41000), (PEER_IP, 5100))):
            end.setblocking(False)
            with self.assertRaises(BlockingIOError):
                end.connect(target)
        _, writable, _ = select.select([], ends[:1], [], 8)
        self.assertEqual(writable, ends[:1])
        for end in ends:
            end.settimeout(8)
        self.talk(*ends)

    def test_fast_open_is_answered_before_the_handshake_ends(self):
        server = self.listener(self.peer, 5001)
        server.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 8)
        client = self.endpoint(self.pump)

        def answer():
            accepted = server.accept()[0]
            accepted.sendall(b"answer to " + accepted.recv(100))
            accepted.close()
        thread = threading.Thread(target=answer)
        thread.start()
        start = time.monotonic()
        client.sendto(b"data in the SYN", MSG_FASTOPEN, (PEER_IP, 5001))
        got = client.recv(100)
        self.assertEqual(got, b"answer to data in the SYN")
        self.assertLess(time.monotonic() - start, 0.15, "a segment of the opening was lost and sent again")
        thread.join()

    def test_options_of_tcp_survive_and_bulk_data_is_whole(self):
        client, server, _ = self.connection()
        blob = os.urandom(8 << 20)
        threading.Thread(target=lambda: (client.sendall(blob), client.shutdown(socket.SHUT_WR))).start()
        got = bytearray()
        while chunk := server.recv(1 << 16):
            got += chunk
        self.assertEqual(bytes(got), blob)
        options = server.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[5]
        self.assertEqual(options & 0xf, TIMESTAMPS | SACK | WINDOW_SCALE | ECN)

    def test_reset_then_same_port_again(self):
        for _ in range(3):
            client, server, listening = self.connection(5002, 41002)
            self.talk(client, server)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            for end in (client, server, listening):
                end.close()

    def test_close_then_same_port_again(self):
        for _ in range(3):
            client, server, listening = self.connection(5003, 41003)
            self.talk(client, server)
            server.close()
            self.assertEqual(client.recv(100), b"")  # the peer is the one to keep TIME-WAIT
            for end in (client, listening):
                end.close()
            wait_until("the end of the connection", lambda: "41003" not in self.pump.run("ss", "-Htan").stdout)

    def test_device_reboots_and_uses_the_same_port(self):
        client, old, server = self.connection(5004, 41004)
        self.talk(client, old)
        client.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        client.close()  # in repair mode: gone without a word, as when the power goes
        # Initial numbers count a quarter of a million steps in 16 ms (RFC 6528): a start takes longer
        # than it takes them to leave the old window, in which a SYN would be an attack.
        gone = time.monotonic()
        wait_until("the device to start", lambda: time.monotonic() - gone > 1)
        again = self.endpoint(self.pump, port=41004)
        again.connect((PEER_IP, 5004))
        accepted = server.accept()[0]
        self.closing.append(accepted)
        self.talk(again, accepted)

    def test_peer_opens_toward_the_device(self):
        server = self.listener(self.pump, 3010)
        client = self.endpoint(self.peer)
        client.connect((PUMP_IP, 3010))
        accepted = server.accept()[0]
        self.closing.append(accepted)
        self.talk(client, accepted)

    def test_refused_connection_is_refused_at_once(self):
        start = time.monotonic()
        with self.assertRaises(ConnectionRefusedError):
            self.endpoint(self.pump).connect((PEER_IP, 5999))
        self.assertLess(time.monotonic() - start, 1)

    def test_path_mtu_discovery(self):
        client, server, _ = self.connection()
        wire = self.wire(self.peer)
        client.sendall(bytes(1400))
        while True:
            packet = Ether(wire.receive())
            if TCP in packet and packet[IP].src == PUMP_IP and len(packet[TCP].payload) == 1400:
                break
        self.assertEqual(len(server.recv(2000)), 1400)
        packet[TCP].seq += 1400  # what comes next: the pump believes no error about what was acknowledged
        quoted = bytes(packet[IP])[:28]
        # From a router that has no other business with the pump.
        wire.send(bytes(Ether(src="02:00:00:aa:00:20", dst=PUMP_MAC) / IP(src="10.20.0.1", dst=PUMP_IP) /
                        ICMP(type=3, code=4, nexthopmtu=1200) / quoted))
        wait_until("the pump to learn the path's MTU",
                   lambda: "mtu 1200" in self.pump.run("ip", "route", "get", PEER_IP).stdout, 5)
        client.sendall(b"smaller")
        got = b""
        while not got.endswith(b"smaller"):
            got += server.recv(65536)
        self.pump.run("ip", "route", "flush", "cache")

    # --- UDP, ICMP, groups

    def test_late_answer_to_a_datagram(self):
        server, client = self.endpoint(self.peer, socket.SOCK_DGRAM, port=5000), self.endpoint(self.pump, socket.SOCK_DGRAM)
        client.sendto(b"question", (PEER_IP, 5000))
        _, asker = server.recvfrom(100)
        time.sleep(LATE)
        server.sendto(b"answer", asker)
        self.assertEqual(client.recv(100), b"answer")

    def test_ping_both_ways_and_full_size(self):
        for space, target in ((self.pump, PEER_IP), (self.peer, PUMP_IP)):
            result = space.run("ping", "-c", "3", "-i", "0.2", "-W", "2", "-M", "do", "-s", "1472", target, check=False)
            self.assertEqual(result.returncode, 0, result.stdout)

    def test_port_unreachable_reaches_the_asker(self):
        client = self.endpoint(self.pump, socket.SOCK_DGRAM)
        client.connect((PEER_IP, 5000))
        client.send(b"nobody there")
        with self.assertRaises(ConnectionRefusedError):
            client.recv(100)

    def test_service_discovery_by_rule(self):
        for group, port in (("239.255.255.250", 1900), ("224.0.0.251", 5353)):
            server, client = self.endpoint(self.peer, socket.SOCK_DGRAM, port=port), self.endpoint(self.pump, socket.SOCK_DGRAM, port=port)
            for end, own in ((server, PEER_IP), (client, PUMP_IP)):
                end.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(own))
                end.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(own))
                end.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
            client.sendto(b"who is there", (group, port))
            text, asker = server.recvfrom(100)
            self.assertEqual((text, asker), (b"who is there", (PUMP_IP, port)))
            server.sendto(b"me, to you", asker)
            self.assertEqual(client.recv(100), b"me, to you")
            server.sendto(b"me, to all", (group, port))
            self.assertEqual(client.recv(100), b"me, to all")

    # --- addresses

    def test_dhcp_lease_and_renewal(self):
        services = self.hospital.host["services"]
        server = services.start("dhcp", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--user=root",
                                "--port=0", "--interface=eth0", "--dhcp-range=10.20.1.20,10.20.1.30,255.255.0.0,1h",
                                f"--dhcp-host={PUMP_MAC},{PUMP_IP}", "--dhcp-authoritative", "--no-ping",
                                f"--dhcp-leasefile={self.lab.directory}/leases", "--log-dhcp", "--log-facility=-")
        wait_until("the DHCP server", lambda: services.listening(67, "udp"))
        wire = self.wire(self.pump)
        hardware = bytes.fromhex(PUMP_MAC.replace(":", ""))

        def ask(kind, flags, number, own="0.0.0.0", to="255.255.255.255", mac="ff:ff:ff:ff:ff:ff", more=()):
            wire.send(bytes(Ether(src=PUMP_MAC, dst=mac) / IP(src=own, dst=to) / UDP(sport=68, dport=67) /
                            BOOTP(chaddr=hardware, xid=number, flags=flags, ciaddr=own) /
                            DHCP(options=[("message-type", kind), *more, "end"])))
            while True:
                frame = Ether(wire.receive())
                if BOOTP in frame and frame[BOOTP].op == 2 and frame[BOOTP].xid == number:
                    self.assertEqual(frame[BOOTP].yiaddr, PUMP_IP)
                    return dict(o[:2] for o in frame[DHCP].options if isinstance(o, tuple))["message-type"], frame.dst
        wanted = (("requested_addr", PUMP_IP), ("server_id", SERVICES_IP))
        for number, flags in ((100, 0x8000), (200, 0)):  # answers by broadcast, and to the MAC
            self.assertEqual(ask("discover", flags, number)[0], 2)
            kind, to = ask("request", flags, number + 1, more=wanted)
            self.assertEqual((kind, to), (5, "ff:ff:ff:ff:ff:ff" if flags else PUMP_MAC))
        renewed, _ = ask("request", 0, 300, PUMP_IP, SERVICES_IP, "02:00:00:aa:00:02")
        self.assertEqual(renewed, 5)
        server.stop()

    def test_ipv6_with_duplicate_address_detection(self):
        self.pump.address("eth0", f"{PUMP6}/64")
        self.peer.address("eth0", f"{PEER6}/64")
        for space in (self.pump, self.peer):
            wait_until("the end of duplicate address detection",
                       lambda s=space: "tentative" not in s.run("ip", "-6", "addr").stdout)
            self.assertNotIn("dadfailed", space.run("ip", "-6", "addr").stdout)
        server = self.listener(self.peer, 5006, socket.AF_INET6)
        client = self.endpoint(self.pump, family=socket.AF_INET6)
        client.connect((PEER6, 5006))
        accepted = server.accept()[0]
        self.closing.append(accepted)
        self.talk(client, accepted)

    def test_server_fails_over_with_a_gratuitous_arp(self):
        heir = self.hospital.host["archive"]
        client = self.endpoint(self.pump, socket.SOCK_DGRAM)
        before = self.endpoint(self.peer, socket.SOCK_DGRAM, port=5000)
        client.sendto(b"one", (PEER_IP, 5000))
        self.assertEqual(before.recv(100), b"one")
        self.peer.run("ip", "addr", "del", f"{PEER_IP}/16", "dev", "eth0")
        heir.address("eth0", f"{PEER_IP}/16")
        try:
            heir.run("arping", "-U", "-c", "2", "-w", "1", "-I", "eth0", PEER_IP, check=False)
            heir.run("arping", "-A", "-c", "1", "-w", "1", "-I", "eth0", PEER_IP, check=False)
            after = self.endpoint(heir, socket.SOCK_DGRAM)
            after.bind((PEER_IP, 5000))
            client.sendto(b"two", (PEER_IP, 5000))
            text, asker = after.recvfrom(100)
            self.assertEqual(text, b"two")
            after.sendto(b"three", asker)
            self.assertEqual(client.recv(100), b"three")
        finally:
            heir.run("ip", "addr", "del", f"{PEER_IP}/16", "dev", "eth0")
            self.peer.address("eth0", f"{PEER_IP}/16")
            self.peer.run("arping", "-U", "-c", "2", "-w", "1", "-I", "eth0", PEER_IP, check=False)

    # --- the gateway's own life

    def test_policy_pushes_lose_nothing_of_running_flows(self):
        client, server, _ = self.connection()
        datagrams = self.endpoint(self.peer, socket.SOCK_DGRAM, port=5000)
        datagrams.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        sender = self.endpoint(self.pump, socket.SOCK_DGRAM)
        running, sent = True, 0

        def send():
            nonlocal sent
            while running:
                sender.sendto(b"%d" % sent, (PEER_IP, 5000))
                sent += 1
                time.sleep(0.002)
        thread = threading.Thread(target=send)
        thread.start()
        for i in range(10):
            self.talk(client, server)
            self.apply("legal.yaml", policy(7001 + i % 2))
        running = False
        thread.join()
        for number in range(sent):
            self.assertEqual(datagrams.recv(100), b"%d" % number)
        resent = struct.unpack_from("I", client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 100)[0]
        self.assertEqual(resent, 0, "segments were lost and sent again")

    def test_zz_gateway_restart_keeps_running_connections(self):
        client, server, _ = self.connection()
        opened_by_peer = self.listener(self.pump, 3010)
        back = self.endpoint(self.peer)
        back.connect((PUMP_IP, 3010))
        accepted = opened_by_peer.accept()[0]
        self.closing.append(accepted)
        self.talk(client, server)
        self.talk(back, accepted)
        self.hospital.gateway.stop(signal.SIGKILL)
        self.hospital.gateway_socket.unlink(missing_ok=True)
        self.hospital.start_gateway()
        self.talk(server, client)  # the side that did not open speaks first
        self.talk(accepted, back)


if __name__ == "__main__":
    unittest.main(verbosity=2)
