#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An attacker on each side, with real tools and crafted frames, against devices that a few rules serve.
Nothing forbidden may arrive, untagged or tagged, and nobody else's traffic may suffer meanwhile."""
import random
import socket
import struct
import unittest

from support import BIN, HospitalTest, wait_until
from attack_bed import (ATTACKER, ATTACKER6, ATTACKER_IP, BROADCAST, CT, CT_IP, PUMP, PUMP6, PUMP_IP, SERVER, SERVER6,
                        SERVER_IP, STRANGER, WATCHED, AttackBed, build, inward, outward, tagged)

from scapy.all import (ARP, IP, TCP, UDP, BOOTP, DHCP, DNS, ESP, GRE, ICMP, LLC, SCTP, STP, Dot3, Ether,  # noqa: E402
                       ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA,
                       ICMPv6ND_Redirect, ICMPv6ND_RS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptPrefixInfo, IPOption_LSRR,
                       IPOption_RR, IPOption_SSRR, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                       IPv6ExtHdrRouting, IPv6ExtHdrSegmentRouting, PPPoED, Raw, fragment, fragment6)


class EvasionTest(AttackBed, unittest.TestCase):
    def test_tcp_and_udp_without_a_rule(self):
        head = IP(src=ATTACKER_IP, dst=PUMP_IP)
        server = IP(src=SERVER_IP, dst=PUMP_IP)
        flags = ["S", "SA", "A", "R", "RA", "F", "FA", "", "FPU", "SF", "SR", "SFRPAU", "PA", "SEC", "P", "U"]
        frames = [inward(ip, TCP(sport=sport, dport=dport, flags=f), Raw(b"x")) for f in flags for ip in (head, server)
                  for sport, dport in ((1234, 80), (2575, 80), (104, 22))]
        frames += [inward(server, TCP(sport=2575, dport=50999, flags=f)) for f in flags]
        frames += [inward(head, TCP(sport=1234, dport=3010, flags=f)) for f in flags]
        frames += [inward(ip, UDP(sport=sport, dport=dport), Raw(b"x")) for ip in (head, server)
                   for sport in (53, 67, 123, 5000) for dport in (0, 53, 68, 161, 5000)]
        frames += [inward(head, TCP(dport=80, dataofs=offset)) for offset in (0, 1, 4, 15)]
        frames += [inward(server, UDP(sport=5000, dport=40999, len=length)) for length in (0, 7, 9, 65535)]
        self.nothing_arrives("TCP and UDP", self.both_tags(frames), False)
        out = [outward(IP(src=PUMP_IP, dst=dst), TCP(dport=port, flags="S")) for dst in (SERVER_IP, ATTACKER_IP)
               for port in (21, 22, 23, 80, 443, 445, 3389)]
        out += [outward(IP(src=PUMP_IP, dst=ATTACKER_IP), TCP(dport=2575, flags=f)) for f in flags]
        out += [outward(IP(src=PUMP_IP, dst=dst), UDP(dport=port)) for dst in ("8.8.8.8", "255.255.255.255", "224.0.0.251")
                for port in (53, 67, 5353, 5000)]
        self.nothing_arrives("TCP and UDP", self.both_tags(out), True)

    def test_fragments_in_any_order(self):
        whole = [IP(src=ATTACKER_IP, dst=PUMP_IP, id=7) / TCP(dport=80, flags="S") / Raw(bytes(60)),
                 IP(src=SERVER_IP, dst=PUMP_IP, id=8) / UDP(sport=5000, dport=40999) / Raw(bytes(80))]
        frames = []
        for packet in whole:
            for size in (8, 16, 24, 40):
                pieces = fragment(packet, fragsize=size)
                for order in (pieces, pieces[::-1], pieces[1:], random.Random(size).sample(pieces, len(pieces))):
                    frames += [inward(p) for p in order]
        allowed = fragment(IP(src=SERVER_IP, dst=PUMP_IP, id=9) / TCP(sport=1024, dport=3010, flags="S") / Raw(bytes(64)), 24)
        frames += [inward(p, source=SERVER) for p in allowed[1:]]  # behind a first one that never came
        overlap = IP(src=ATTACKER_IP, dst=PUMP_IP, id=10, proto=6)
        frames += [inward(overlap.copy(), Raw(bytes(24))) for _ in range(2)]
        for offset, flags, size in ((1, 1, 24), (0, 1, 8), (2, 0, 8), (8189, 0, 64), (0, 1, 4)):
            piece = overlap.copy()
            piece.frag, piece.flags = offset, flags
            frames.append(inward(piece, Raw(b"\x04\x00\x00\x50" * (size // 4))))
        v6 = IPv6(src=ATTACKER6, dst=PUMP6) / IPv6ExtHdrFragment(id=11) / TCP(dport=80) / Raw(bytes(2000))
        for order in (1, -1):
            frames += [inward(p) for p in fragment6(v6, 600)[::order]]
        self.nothing_arrives("fragments", self.both_tags(frames), False)

    def test_ipv6_extension_headers(self):
        base = IPv6(src=ATTACKER6, dst=PUMP6)
        server = IPv6(src=SERVER6, dst=PUMP6)
        syn = TCP(dport=80, flags="S")
        hop, dest, atomic = IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), IPv6ExtHdrFragment(offset=0, m=0)
        chains = [[], [hop], [dest], [dest, dest], [dest, dest, dest], [hop, hop], [dest, hop], [atomic], [atomic, dest],
                  [atomic, atomic], [hop, dest, atomic, dest], [hop, dest, atomic, dest, dest],
                  [IPv6ExtHdrRouting(type=0, addresses=[PUMP6])], [IPv6ExtHdrRouting(type=2, segleft=1, addresses=[PUMP6])],
                  [IPv6ExtHdrSegmentRouting(addresses=[PUMP6, ATTACKER6], segleft=1)]]
        frames = [build(Ether(src=ATTACKER, dst=PUMP), ip, *[h.copy() for h in chain], syn) for chain in chains
                  for ip in (base.copy(), server.copy())]
        frames += [inward(IPv6(src="::ffff:10.20.0.20", dst=PUMP6), TCP(dport=3010)),
                   inward(IPv6(src=SERVER6, dst="::ffff:10.20.1.21"), TCP(dport=3010)),
                   inward(IPv6(src=ATTACKER6, dst=PUMP6, plen=0), TCP(dport=80)),
                   inward(IPv6(src=ATTACKER6, dst=PUMP6, plen=2000), TCP(dport=80)),
                   inward(IPv6(src=ATTACKER6, dst=PUMP6, nh=59)), inward(IPv6(src=PUMP6, dst=PUMP6), syn)]
        self.nothing_arrives("IPv6 headers", self.both_tags(frames), False)
        # A rule allows the server; the packet would travel on from there.
        routed = [outward(IPv6(src=PUMP6, dst=SERVER6), IPv6ExtHdrSegmentRouting(addresses=[ATTACKER6, SERVER6], segleft=1),
                          TCP(dport=2575)),
                  outward(IPv6(src=PUMP6, dst=SERVER6), IPv6ExtHdrRouting(type=0, addresses=[ATTACKER6]), TCP(dport=2575))]
        self.nothing_arrives("IPv6 source routes", routed, True)

    def test_ip_options_and_other_protocols(self):
        head = {"src": SERVER_IP, "dst": PUMP_IP}
        syn = TCP(sport=1024, dport=3010, flags="S")
        frames = [inward(IP(options=[o(routers=[PUMP_IP, ATTACKER_IP])], **head), syn) for o in
                  (IPOption_LSRR, IPOption_SSRR, IPOption_RR)]
        inner = IP(src=SERVER_IP, dst=PUMP_IP) / syn
        frames += [inward(IP(**head), GRE(), inner), inward(IP(proto=4, **head), inner), inward(IP(**head), SCTP(dport=80)),
                   inward(IP(**head), ESP(spi=1)), inward(IP(proto=2, **head), Raw(bytes(8))),
                   inward(IP(proto=41, **head), IPv6() / syn), inward(IP(proto=58, **head), ICMPv6EchoRequest()),
                   inward(IPv6(src=SERVER6, dst=PUMP6, nh=1), ICMP())]
        frames += [inward(IP(version=v, **head), syn) for v in (0, 5, 6)] + [inward(IP(ihl=n, **head), syn) for n in (0, 4, 15)]
        frames += [inward(IP(len=n, **head), syn) for n in (0, 19, 39, 41, 65535)]
        self.nothing_arrives("IP options and protocols", self.both_tags(frames), False)

    def test_ethertypes(self):
        # EAPOL, LLDP and STP are let through unless the pair's guards say otherwise.
        frames = [Ether(src=ATTACKER, dst=PUMP, type=t) / Raw(bytes(60)) for t in
                  (0x88f7, 0x8892, 0x8863, 0x8864, 0x8847, 0x9000, 0x22f0, 0x86dd, 0x0800, 0x0806, 0x8035, 0)]
        frames += [Dot3(src=ATTACKER, dst="01:80:c2:00:00:21") / LLC() / STP(),
                   Ether(src=ATTACKER, dst=BROADCAST) / PPPoED()]
        for from_device in (False, True):
            self.nothing_arrives("other ethertypes", self.both_tags(frames), from_device)

    def test_vlan_hopping(self):
        legal = [outward(IP(src=ip, dst=SERVER_IP), UDP(sport=40000, dport=5000), source=source)
                 for source, ip in ((PUMP, PUMP_IP), (PUMP, "10.30.1.21"), (CT, CT_IP), (WATCHED, "10.50.1.23"))]
        stacks = [[31], [50], [4095], [30, 30], [30, 40], [0, 30], [30, 0], [40, 30, 30], [50, 50], [0, 50], [50, 0], [1]]
        frames = [tagged(f, *[(v, tpid) for v in stack]) for f in legal for stack in stacks for tpid in (0x8100, 0x9100)]
        # The watched device may do in its VLAN whatever it wants, and is nothing elsewhere.
        mine = [f for f in frames if f[6:12] == bytes.fromhex(WATCHED.replace(":", "")) and f[12:16] in
                (struct.pack("!HH", t, 50) for t in (0x8100, 0x9100)) and f[16:18] == b"\x08\x00"]
        frames = [f for f in frames if f not in mine]
        # 802.1ad tags would come out as 802.1Q ones on this kind of port.
        frames += [tagged(f, (v, 0x88a8)) for f in legal for v in (30, 50)]
        frames += [tagged(f, (50, 0x8100)) for f in (outward(IP(src="10.50.1.23", dst=SERVER_IP), UDP(dport=5000), source=s)
                                                     for s in (STRANGER, "01:00:5e:00:00:01", BROADCAST, "00:00:00:00:00:00"))]
        self.nothing_arrives("VLAN hopping", frames, True)
        back = [tagged(inward(IP(src=SERVER_IP, dst=PUMP_IP), UDP(sport=5000, dport=40000)), *[(v, 0x8100) for v in stack])
                for stack in stacks]
        self.nothing_arrives("VLAN hopping", back, False)

    def test_spoofed_addresses(self):
        payload = (UDP(sport=40000, dport=5000), Raw(b"x"))
        out = [outward(IP(src=ip, dst=SERVER_IP), *payload, source=mac) for mac in (PUMP, CT, STRANGER, BROADCAST)
               for ip in (PUMP_IP, CT_IP, "10.30.1.21", SERVER_IP, "0.0.0.0", "255.255.255.255", "224.0.0.1", "127.0.0.1")
               if (mac, ip) != (PUMP, PUMP_IP) and (mac, ip) != (CT, CT_IP)]
        out += [outward(IPv6(src=ip, dst=SERVER6), *payload) for ip in ("fd00:20::1:22", "fe80::1", "::", "ff02::1", SERVER6)]
        self.nothing_arrives("spoofed senders", out, True)
        back = [inward(IP(src=src, dst=PUMP_IP), UDP(sport=5000, dport=40000), source=mac) for mac, src in
                ((CT, SERVER_IP), (PUMP, SERVER_IP), (BROADCAST, SERVER_IP), (ATTACKER, PUMP_IP), (ATTACKER, CT_IP))]
        back += [inward(IP(src=SERVER_IP, dst=dst), TCP(dport=3010), source=SERVER, destination=mac) for mac, dst in
                 ((PUMP, CT_IP), (CT, PUMP_IP), (BROADCAST, PUMP_IP), ("01:00:5e:00:00:01", PUMP_IP), (STRANGER, PUMP_IP))]
        self.nothing_arrives("spoofed peers", back, False)

    def test_arp_and_neighbour_poisoning(self):
        claims = [(ATTACKER, PUMP_IP), (ATTACKER, CT_IP), (PUMP, ATTACKER_IP), (CT, "10.20.0.1")]
        frames = [inward(ARP(op=op, hwsrc=mac, psrc=ip, hwdst=PUMP, pdst=PUMP_IP), destination=dst)
                  for mac, ip in claims for op in (1, 2) for dst in (PUMP, BROADCAST)]
        frames += [inward(ARP(op=1, hwsrc=CT, psrc="10.20.0.1", pdst=PUMP_IP), source=CT, destination=BROADCAST)]
        frames += [inward(ARP(op=1, hwsrc=ATTACKER, psrc=ATTACKER_IP, pdst=f"10.20.1.{n}"), destination=BROADCAST)
                   for n in range(100, 140)]
        frames += [inward(ARP(op=op, hwtype=t, psrc=ATTACKER_IP, pdst=PUMP_IP)) for op in (0, 3, 8, 25) for t in (1, 6)]
        frames += [bytes(inward(ARP(psrc=ATTACKER_IP, pdst=PUMP_IP)))[:n] for n in (14, 20, 41)]
        frames += [tagged(inward(ARP(op=2, psrc=ip, pdst=ip), destination=BROADCAST), (v, 0x8100))
                   for ip in (ATTACKER_IP, PUMP_IP) for v in (31, 99)]
        self.nothing_arrives("ARP", frames, False)
        out = [outward(ARP(op=op, hwsrc=mac, psrc=ip, pdst=SERVER_IP), destination=BROADCAST, source=source)
               for op in (1, 2) for source, mac, ip in ((PUMP, PUMP, CT_IP), (PUMP, PUMP, SERVER_IP), (PUMP, CT, PUMP_IP),
                                                        (CT, CT, PUMP_IP), (STRANGER, STRANGER, "10.20.1.99"))]
        self.nothing_arrives("ARP", out, True)
        lla = ICMPv6NDOptDstLLAddr(lladdr=ATTACKER)
        nd = [inward(IPv6(src=src, dst=dst, hlim=h), ICMPv6ND_NA(tgt=PUMP6, O=1, S=0), lla.copy(), destination=mac)
              for src in (ATTACKER6, "fe80::66") for dst, mac in ((PUMP6, PUMP), ("ff02::1", "33:33:00:00:00:01")) for h in (255, 64)]
        nd += [inward(IPv6(src="fe80::66", dst=dst, hlim=255), layer, destination=mac) for dst, mac in
               (("ff02::1", "33:33:00:00:00:01"), (PUMP6, PUMP)) for layer in
               (ICMPv6ND_RA() / ICMPv6NDOptPrefixInfo(prefix="2001:db8::"), ICMPv6ND_RS(), ICMPv6ND_Redirect(tgt=ATTACKER6, dst=SERVER6))]
        nd += [inward(IPv6(src="fe80::66", dst="ff02::1", hlim=255), ICMPv6ND_NA(tgt="fe80::ff:fe00:121"),  # made from its MAC
                      destination="33:33:00:00:00:01")]
        nd += [inward(IPv6(src=ATTACKER6, dst=PUMP6, hlim=64), ICMPv6ND_NS(tgt=PUMP6)),
               inward(IPv6(src=PUMP6, dst="ff02::1:ff01:21", hlim=255), ICMPv6ND_NS(tgt=PUMP6), destination="33:33:ff:01:00:21"),
               inward(IPv6(src=ATTACKER6, dst=PUMP6, hlim=255), IPv6ExtHdrDestOpt(), ICMPv6ND_NS(tgt=PUMP6))]
        self.nothing_arrives("neighbour discovery", nd, False)
        rogue = [outward(IPv6(src="fe80::1", dst="ff02::1", hlim=255), ICMPv6ND_RA(), destination="33:33:00:00:00:01"),
                 outward(IPv6(src=PUMP6, dst="ff02::1", hlim=255), ICMPv6ND_NA(tgt=SERVER6), destination="33:33:00:00:00:01")]
        self.nothing_arrives("neighbour discovery", rogue, True)

    def test_icmp_that_answers_nothing(self):
        live = IP(src=PUMP_IP, dst=SERVER_IP) / UDP(sport=40000, dport=5000) / Raw(b"sentinel")
        forged = [IP(src=PUMP_IP, dst=SERVER_IP) / UDP(sport=40999, dport=5000), IP(src=PUMP_IP, dst=ATTACKER_IP) / TCP(dport=80),
                  IP(src=CT_IP, dst=SERVER_IP) / UDP(sport=40000, dport=5000),
                  IP(src=SERVER_IP, dst=PUMP_IP) / UDP(sport=5000, dport=40000)]
        router = {"src": "10.20.0.1", "dst": PUMP_IP}
        frames = [inward(IP(**router), ICMP(type=t, code=c), quote.copy()) for t, c in ((3, 1), (3, 4), (11, 0), (12, 0), (4, 0), (5, 1))
                  for quote in forged]
        frames += [inward(IP(**router), ICMP(type=t, code=c, gw=ATTACKER_IP), live.copy()) for t, c in ((4, 0), (5, 0), (5, 1))]
        frames += [inward(IP(src=CT_IP, dst=PUMP_IP), ICMP(type=3, code=4), live.copy()),
                   inward(IP(**router), ICMP(type=3, code=4), live.copy(), source=CT),
                   inward(IP(**router), ICMP(type=3, code=4), Raw(bytes(live)[:24])),
                   inward(IP(src="10.20.0.1", dst=CT_IP), ICMP(type=3, code=1), live.copy(), destination=CT)]
        frames += [inward(IP(src=SERVER_IP, dst=PUMP_IP), ICMP(type=t, id=9)) for t in (0, 14, 16, 18, 4, 5)]
        frames += [inward(IP(src=ATTACKER_IP, dst=PUMP_IP), ICMP(type=t, id=9)) for t in range(0, 45)]
        frames += [inward(IP(src=SERVER_IP, dst="10.20.255.255"), ICMP(type=t), destination=BROADCAST) for t in (5, 0)]
        frames += [inward(IPv6(src=ATTACKER6, dst=PUMP6), ICMPv6EchoReply()), inward(IPv6(src=SERVER6, dst=PUMP6), ICMPv6EchoRequest()),
                   inward(IPv6(src=ATTACKER6, dst=PUMP6), ICMPv6DestUnreach(), IPv6(src=PUMP6, dst=SERVER6) / TCP(dport=80))]
        self.nothing_arrives("ICMP", frames, False)

    def test_broadcast_floods_and_rogue_dhcp(self):
        offer = BOOTP(op=2, yiaddr=PUMP_IP, chaddr=bytes.fromhex(PUMP.replace(":", ""))) / DHCP(options=[("message-type", "offer"), "end"])
        frames = [inward(IP(src=ATTACKER_IP, dst=dst), UDP(sport=67, dport=68), offer.copy(), destination=mac)
                  for dst, mac in (("255.255.255.255", BROADCAST), (PUMP_IP, PUMP))]
        for dst, mac in (("255.255.255.255", BROADCAST), ("10.20.255.255", BROADCAST), ("224.0.0.251", "01:00:5e:00:00:fb"),
                         ("239.255.255.250", "01:00:5e:7f:ff:fa")):
            frames += [inward(IP(src=ATTACKER_IP, dst=dst), UDP(sport=port, dport=port), DNS(), destination=mac)
                       for port in (137, 138, 1900, 5353, 5355, 5000)] * 40
        self.nothing_arrives("broadcast and rogue DHCP", frames, False)

    def test_truncated_and_mutated_frames(self):
        whole = bytes(inward(IP(src=SERVER_IP, dst=PUMP_IP), TCP(sport=1024, dport=3010, flags="S"), Raw(bytes(30)), source=SERVER))
        self.nothing_arrives("truncated", [whole[:n] for n in range(14, len(whole))], False)
        dice = random.Random(7)
        seeds = [bytes(inward(IP(src=ATTACKER_IP, dst=PUMP_IP), TCP(dport=80), Raw(bytes(20)))),
                 bytes(inward(IPv6(src=ATTACKER6, dst=PUMP6), IPv6ExtHdrDestOpt(), TCP(dport=80))),
                 bytes(inward(IP(src=ATTACKER_IP, dst=PUMP_IP), ICMP(type=3, code=1), IP(src=PUMP_IP, dst=SERVER_IP) / UDP(dport=99))),
                 tagged(inward(IP(src=ATTACKER_IP, dst=PUMP_IP), UDP(dport=80)), (30, 0x8100)),
                 bytes(inward(ARP(op=2, psrc=CT_IP, pdst=PUMP_IP)))]
        frames = []
        for _ in range(4000):
            frame = bytearray(dice.choice(seeds))
            for _ in range(dice.randint(1, 6)):
                frame[dice.randrange(6, len(frame))] = dice.randrange(256)
            # What would be ARP for the pump with another sender, or names the server, may pass by right.
            if SERVER_IP_BYTES in frame or (b"\x08\x06" in frame[12:18] and CT_IP_BYTES not in frame):
                continue
            frames.append(bytes(frame[:dice.randint(14, len(frame))] if dice.random() < 0.2 else frame))
        self.nothing_arrives("mutated", frames, False)

    # --- real tools

    def scan_finds_nothing(self, source, address, watched, target):
        """Runs all kinds of nmap scans at once; nothing may reach the target. Returns the probes."""
        sent = self.capture(source, f"probes-{target}", "out")
        seen = self.capture(watched, f"scan-{target}", "in")
        base = ["nmap", "-n", "-Pn", "-T5", "--max-retries", "0", "--host-timeout", "6s", "-S", address, "-e", "eth0"]
        scans = {" ".join(k): source.start(f"nmap-{target}-{i}", *base, *(() if "-p" in k else ("-p", "22,23,80,443,445")), *k, target)
                 for i, k in enumerate(SCANS)}
        for scan in scans.values():
            scan.popen.wait(40)
        for kind, scan in scans.items():
            self.assertNotIn("QUITTING", scan.output(), kind)
        arrived = [f for f in seen() if not self.is_ordinary(f) and ARP not in Ether(f)]
        probes = [f for f in sent() if not self.is_ordinary(f) and ARP not in Ether(f)]
        print(f"  nmap {' | '.join(scans)}: {len(probes)} probes from {address} to {target}, {len(arrived)} arrived", flush=True)
        self.assertEqual([Ether(f).summary() for f in arrived], [])
        self.assertGreater(len(probes), 100)
        return probes

    def test_nmap_from_the_network(self):
        probes = self.scan_finds_nothing(self.core, ATTACKER_IP, self.ward, PUMP_IP)
        for tags in ([(30, 0x8100)], [(40, 0x8100), (30, 0x8100)], [(50, 0x8100)]):
            self.nothing_arrives(f"the same probes in VLAN {tags}", [tagged(f, *tags) for f in probes], False)

    def test_nmap_from_a_device(self):
        probes = self.scan_finds_nothing(self.ward, PUMP_IP, self.core, ATTACKER_IP)
        for tags in ([(30, 0x8100)], [(40, 0x8100), (30, 0x8100)], [(50, 0x8100)]):
            self.nothing_arrives(f"the same probes in VLAN {tags}", [tagged(f, *tags) for f in probes], True)

    def test_flood_of_half_open_connections_from_a_device(self):
        """From 60,000 L4 ports of the CT, against 1,024 flows: the pump keeps its connection and opens new ones."""
        refused = self.metric("cordon_flow")
        dice = random.Random(3)
        frames = [bytes(outward(IP(src=CT_IP, dst=SERVER_IP), TCP(sport=port, dport=2575, flags="S"), source=CT))
                  for port in dice.sample(range(1024, 65000), 3000)]
        for frame in frames:
            self.device.send(frame)
        self.assertNotEqual(self.metric("cordon_flow"), refused)
        opened = self.ward.run("nc", "-z", "-w", "3", SERVER_IP, "2575", check=False)
        print(f"  SYN flood: {len(frames)} half-open connections, the pump's new connection: exit {opened.returncode}", flush=True)
        self.assertEqual(opened.returncode, 0)
        out = self.ward.run("timeout", "3", "hping3", "--flood", "--rand-source", "-S", "-p", "80", SERVER_IP, check=False)
        print(f"  hping3 --flood --rand-source: {out.stderr.strip().splitlines()[-2:][:1]}", flush=True)

    def test_metrics_port_and_status_socket_under_abuse(self):
        script = self.lab.directory / "abuse.py"
        script.write_text(ABUSE.format(socket=self.lab.directory / "gateway.sock"))
        self.box.run("/usr/bin/python3", script, timeout=30)
        wait_until("the metrics to answer again", lambda: self.box.run(
            "curl", "-sf", "http://127.0.0.1:9464/metrics", check=False).returncode == 0, 10)
        status = self.box.run(BIN / "cordonctl", "--gateway-socket", self.lab.directory / "gateway.sock", "status", check=False)
        print("  metrics port and status socket: slow, idle and garbage clients", flush=True)
        self.assertEqual(status.returncode, 0, status.stderr)

    def test_zz_no_growth_and_no_undecided_frame(self):
        self.assertEqual(self.metric('reason="undecided"'), 0)
        self.assertLess(self.resident() - self.memory, 16 * 1024, "kB more than before the attacks")
        self.assertEqual(self.ward.run("nc", "-z", "-w", "3", SERVER_IP, "2575", check=False).returncode, 0)


SCANS = [["-sS"], ["-sT"], ["-sA"], ["-sW"], ["-sM"], ["-sF"], ["-sX"], ["-sN"], ["-sU"], ["-sO", "-p", "0-20"], ["-sS", "-f"],
         ["-sS", "--mtu", "8"], ["-sS", "--badsum"], ["-sS", "-D", "10.20.0.21,10.20.1.22,ME"], ["-sS", "-g", "2575"],
         ["-sS", "--data-length", "40"], ["-sU", "-g", "53"], ["-sS", "--ip-options", "L 10.20.0.1"], ["-sS", "--ttl", "1"],
         ["--scanflags", "SYNFINRST"]]
SERVER_IP_BYTES, CT_IP_BYTES = socket.inet_aton(SERVER_IP), socket.inet_aton(CT_IP)
ABUSE = """
import os, socket, time
held = []
for i in range(200):
    for kind, where in ((socket.AF_INET, ("127.0.0.1", 9464)), (socket.AF_UNIX, "{socket}")):
        s = socket.socket(kind)
        s.settimeout(0.2)
        try:
            s.connect(where)
            s.sendall((b"GET /metrics HTTP/1.1\\r\\nHost: x\\r\\nX: ", os.urandom(4000), b"\\0" * 9000, b"")[i % 4])
        except OSError:
            pass
        held.append(s)
time.sleep(0.5)
"""


class ControllerAbuseTest(HospitalTest):
    services = False

    def test_garbage_at_the_controllers_port(self):
        script = self.lab.directory / "abuse.py"
        script.write_text(ABUSE.format(socket=self.hospital.controller_socket).replace("127.0.0.1", "192.168.77.1")
                          .replace("9464", "9443"))
        self.hospital.management.run("/usr/bin/python3", script, timeout=30)
        self.assertEqual(self.hospital.metrics()["cordon_controller_connected"], 1)
        status = self.hospital.ctl("status", check=False)
        print("  controller: 200 slow, idle and garbage clients at the TLS port and at the local socket", flush=True)
        self.assertEqual(status.returncode, 0, status.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
