#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Insertion and evasion after Ptacek and Newsham (1998), and fragments that overlap, in every order: what one end
would take and another would not must not arrive, and the conversation it rides on must go on."""
import itertools
import unittest

from attack_bed import (ARCHIVE, ARCHIVE6, ARCHIVE_IP, CT, CT6, CT_IP, AttackBed, build, tagged)

from scapy.all import IP, TCP, UDP, Ether, IPOption_LSRR, IPOption_RR, IPv6, IPv6ExtHdrFragment, Raw  # noqa: E402

WINDOW = 4096
TAGS = ([], [(60, 0x8100)])


class Ends:
    """A connection of the CT to the archive, both played by the test."""
    port = 20000

    def __init__(self, case, v6, tags):
        Ends.port += 1
        self.case, self.v6, self.tags, self.own, self.may_pass = case, v6, tags, Ends.port, []
        self.next = {True: 0xffffffe0, False: 9000}  # sequence numbers, by whether the device sends; one wraps soon
        self.say(True, "S", window=WINDOW)
        self.say(False, "SA", window=WINDOW)
        self.say(True, "A")

    def frame(self, out, flags, data=b"", shift=0, seq=None, window=WINDOW, ip=(), **tcp):
        """A segment as that end would send it; `shift` moves its sequence number."""
        ends = ((CT, CT6, CT_IP), (ARCHIVE, ARCHIVE6, ARCHIVE_IP))
        (source, *from_ip), (target, *to_ip) = ends if out else ends[::-1]
        head = (IPv6 if self.v6 else IP)(src=from_ip[not self.v6], dst=to_ip[not self.v6], **dict(ip))
        ports = {"sport": self.own, "dport": 104} if out else {"sport": 104, "dport": self.own}
        ack = self.next[not out] if "A" in flags else 0
        fields = {**ports, "flags": flags, "window": window, "ack": ack, "seq": self.next[out] + shift if seq is None else seq, **tcp}
        layer = TCP(**{**fields, "ack": fields["ack"] % (1 << 32), "seq": fields["seq"] % (1 << 32)})
        packet = Ether(src=source, dst=target) / head / layer / Raw(data) if data else Ether(src=source, dst=target) / head / layer
        return tagged(packet, *self.tags)

    def say(self, out, flags, data=b"", **more):
        """Sends the next segment of that end; it must arrive."""
        self.case.arrives(self.frame(out, flags, data, **more), out)
        self.next[out] = (self.next[out] + len(data) + flags.count("S") + flags.count("F")) % (1 << 32)

    def goes_on(self):
        self.say(True, "PA", b"image data")
        self.say(False, "A")
        self.say(False, "PA", b"stored")
        self.say(True, "A")


class InsertionTest(AttackBed, unittest.TestCase):
    def arrives(self, frame, out):
        source, target = (self.device, self.network) if out else (self.network, self.device)
        target.drain()
        source.send(frame)
        while (seen := target.receive()) != frame:
            self.assertTrue(self.is_ordinary(seen), f"{Ether(seen).summary()} instead of {Ether(frame).summary()}")

    def inserted(self, what, make, both=True, families=(False, True)):
        """make(ends, out) gives segments that must not arrive, from both ends of an established connection."""
        count = 0
        for v6, tags in itertools.product(families, TAGS):
            for out in (True, False) if both else (True,):
                ends = Ends(self, v6, tags)
                ends.goes_on()
                frames = make(ends, out)
                wires = (self.device, self.network) if out else (self.network, self.device)
                last = ends.frame(out, "PA", b"the legal one")
                seen = [f for f in self.arrived(frames, *wires, last) if f not in ends.may_pass]
                ends.next[out] = (ends.next[out] + len(b"the legal one")) % (1 << 32)
                self.assertEqual([Ether(f).summary() + " " + f.hex() for f in seen], [], f"{what}, from the {'device' if out else 'peer'}")
                ends.goes_on()
                count += len(frames)
        print(f"  {what}: {count} segments, none arrived, every connection went on", flush=True)

    def test_segments_with_broken_headers(self):
        # R001, R002, R003, R004, R016, R018, R026, R027, R029
        self.inserted("bad TCP checksum", lambda e, out: [e.frame(out, f, b"evil", chksum=c) for f in ("PA", "A", "FA", "R", "RA")
                                                          for c in (0x1234, 0)])
        self.inserted("bad data offset", lambda e, out: [e.frame(out, "PA", b"evil", dataofs=n) for n in (0, 1, 4, 15)])
        self.inserted("no or senseless flags", lambda e, out: [e.frame(out, f, b"evil") for f in ("", "P", "U", "F", "FPU", "SF", "SR", "SFRPAU")])
        self.inserted("bad IP header", lambda e, out: [e.frame(out, "PA", b"evil", ip=field) for field in (
            {"chksum": 0x1234}, {"version": 5}, {"ihl": 4}, {"ihl": 15}, {"len": 39}, {"len": 2000},
            {"options": [IPOption_LSRR(routers=["10.20.0.66"])]}, {"options": [IPOption_RR(routers=["10.20.0.66"])]})], families=(False,))

    def test_segments_out_of_window(self):
        # R072, R076
        def outside(e, out):
            return [e.frame(out, flags, b"evil" * 10, shift=shift) for flags in ("PA", "FA") for shift in
                    (-200_000, -100_000, WINDOW + 100, 70_000, 1 << 30, -(1 << 30))]
        self.inserted("data out of window", outside)
        self.inserted("acknowledgements of what was never sent", lambda e, out: [
            e.frame(out, "A", b"evil", ack=e.next[not out] + ahead) for ahead in (100_000, 1 << 30)])

    def test_resets_that_were_guessed(self):
        # R029, R073
        self.inserted("RST at a guessed number", lambda e, out: [e.frame(out, flags, shift=shift) for flags in ("R", "RA") for shift in
                                                                 (-1, 1, 100, WINDOW - 1, WINDOW + 1, 1 << 20, -(1 << 20))])

    def test_resynchronisation(self):
        # R070, R074: a SYN in the middle moves nothing
        def moved(e, out):
            return [e.frame(False, "S", seq=77_000_000)] if not out else []
        self.inserted("SYN of the responder", moved)

        def after_syn(e, out):
            e.may_pass = [e.frame(True, "S", seq=55_000_000)]  # a device that was switched off and on opens like this
            self.device.send(e.may_pass[0])
            return [e.frame(out, "PA", b"evil", seq=seq) for seq in (55_000_001, 77_000_001)]
        self.inserted("data behind a SYN that moved nothing", after_syn)

    def test_urgent_data(self):
        # R078
        self.inserted("URG with pointer 0", lambda e, out: [] if out else [e.frame(out, "PAU", b"evil", urgptr=0)])

    def test_answer_before_the_handshake(self):
        # R076
        for number, tags in enumerate(TAGS):
            out = {"sport": 32000 + number, "dport": 104}
            head, back = IP(src=CT_IP, dst=ARCHIVE_IP), IP(src=ARCHIVE_IP, dst=CT_IP)
            self.arrives(tagged(Ether(src=CT, dst=ARCHIVE) / head / TCP(**out, flags="S", seq=1), *tags), True)
            frames = [tagged(Ether(src=ARCHIVE, dst=CT) / back / TCP(sport=104, dport=out["sport"], flags=f, seq=9, ack=2) / Raw(b"evil"), *tags)
                      for f in ("PA", "FA", "A")]
            self.nothing_arrives(f"data of the responder before its SYN+ACK {tags}", frames, False)

    def test_opening_by_anything_but_a_syn(self):
        # R070, R071, R076
        ends = ((True, (CT, CT_IP), (ARCHIVE, ARCHIVE_IP)), (False, (ARCHIVE, ARCHIVE_IP), (CT, CT_IP)))
        for out, (source, from_ip), (target, to_ip) in ends:
            for tags in TAGS:
                frames = [tagged(build(Ether(src=source, dst=target), IP(src=from_ip, dst=to_ip), TCP(
                    sport=104 if not out else 31000, dport=104 if out else 31000, flags=f, seq=5, ack=6), Raw(b"evil")), *tags)
                    for f in ("A", "PA", "SA", "FA", "R", "RA")]
                self.nothing_arrives(f"mid-stream segments {tags}", frames, out)

    # --- fragments

    def pieces(self, number, v6, port, cuts, size=64):
        """The datagram's fragments, cut at these offsets, each a function of its number in the datagram."""
        datagram = UDP(sport=4000 + number, dport=port) / Raw(bytes(range(size)))
        head = IPv6(src=CT6, dst=ARCHIVE6) if v6 else IP(src=CT_IP, dst=ARCHIVE_IP, id=number)
        data = bytes((head / datagram).payload)
        return [self.piece(number, v6, data[at:end], at, end < len(data)) for at, end in zip((0, *cuts), (*cuts, len(data)))]

    @staticmethod
    def piece(number, v6, data, at, more):
        if v6:
            packet = IPv6(src=CT6, dst=ARCHIVE6) / IPv6ExtHdrFragment(id=number, offset=at // 8, m=int(more), nh=17) / Raw(data)
        else:
            packet = IP(src=CT_IP, dst=ARCHIVE_IP, id=number, proto=17, frag=at // 8, flags=int(more)) / Raw(data)
        return bytes(Ether(src=CT, dst=ARCHIVE) / packet)

    @staticmethod
    def extent(frame):
        """(offset, bytes) of what a fragment carries."""
        packet = Ether(frame)
        if IPv6ExtHdrFragment in packet:
            return packet[IPv6ExtHdrFragment].offset * 8, bytes(packet[IPv6ExtHdrFragment].payload)
        return packet[IP].frag * 8, bytes(packet[IP].payload)

    def sent_in_order(self, frames, tags):
        """What arrives of the frames, as they were before they were tagged."""
        last = tagged(Ether(src=CT, dst=ARCHIVE) / IP(src=CT_IP, dst=ARCHIVE_IP) / UDP(sport=3999, dport=104) / Raw(b"last"), *tags)
        seen = self.arrived([tagged(f, *tags) for f in frames], self.device, self.network, last)
        return [f[:12] + f[12 + 4 * len(tags):] for f in seen]

    def test_allowed_fragments_in_every_order(self):
        # R030, R044, R046
        number = 100
        for v6, tags in itertools.product((False, True), TAGS):
            for order in itertools.permutations(range(4)):
                number += 1
                frames = [self.pieces(number, v6, 104, (16, 32, 48))[i] for i in order]
                self.assertEqual(sorted(self.sent_in_order(frames, tags)), sorted(frames), f"order {order}, IPv{6 if v6 else 4}, {tags}")
        print("  an allowed datagram in 4 fragments: every order arrives, in both families", flush=True)

    def test_forbidden_fragments_in_every_order(self):
        # R030
        number = 1000
        for v6, tags in itertools.product((False, True), TAGS):
            for order in itertools.permutations(range(4)):
                number += 1
                frames = [self.pieces(number, v6, 445, (16, 32, 48))[i] for i in order]
                self.assertEqual(self.sent_in_order(frames, tags), [], f"order {order}")

    def test_overlapping_fragments_in_every_order(self):
        # R031, R032, R033: what arrives never says two things about one byte, nor anything about another L4 port
        number, judged = 3000, 0
        for v6, tags in itertools.product((False, True), TAGS):
            for lie_at, lie_end in ((0, 8), (0, 16), (8, 24), (16, 32), (8, 16), (24, 40), (40, 72)):
                for order in itertools.permutations(range(4)):
                    number += 1
                    honest = self.pieces(number, v6, 104, (24, 48))
                    lie = bytes(UDP(sport=4000 + number % 60000, dport=445)) + b"evil" * 20
                    frames = [*honest, self.piece(number, v6, lie[:lie_end - lie_at], lie_at, lie_end < 72)]
                    judged += 1
                    self.one_story(self.sent_in_order([frames[i] for i in order], tags), f"lie at {lie_at}, order {order}, IPv{6 if v6 else 4}")
        print(f"  {judged} datagrams with an overlap: none arrived with two stories", flush=True)

    def one_story(self, arrived, what):
        told = {}
        for frame in arrived:
            at, data = self.extent(frame)
            for i, byte in enumerate(data):
                self.assertEqual(told.setdefault(at + i, byte), byte, f"{what}: byte {at + i} came twice")
        if 2 in told:
            self.assertEqual((told[2], told.get(3)), (0, 104), what)

    def test_tiny_endless_and_odd_fragments(self):
        # R034, R035, R036, R037, R038, R040
        frames, number = [], 20_000
        syn = bytes(TCP(sport=4444, dport=104, flags="S"))
        for v6 in (False, True):
            number += 10
            head = {"v6": v6}
            frames += [self.piece(number, data=syn[:8], at=0, more=True, **head), self.piece(number + 1, data=syn[:16], at=0, more=True, **head),
                       self.piece(number + 2, data=bytes(12), at=0, more=True, **head), self.piece(number + 3, data=bytes(1000), at=65528 - 8, more=False, **head)]
        tcp_tiny = [IP(src=CT_IP, dst=ARCHIVE_IP, id=number + n, proto=6, frag=at, flags=1) / Raw(data) for n, (at, data) in
                    enumerate(((0, syn[:8]), (0, syn[:16]), (1, syn[8:16]), (1, syn[8:])))]
        frames += [bytes(Ether(src=CT, dst=ARCHIVE) / p) for p in tcp_tiny]
        nested = IPv6(src=CT6, dst=ARCHIVE6) / IPv6ExtHdrFragment(id=7, m=1, nh=44) / IPv6ExtHdrFragment(id=8, m=1, nh=17) / UDP(sport=4000, dport=104) / Raw(bytes(56))
        frames.append(bytes(Ether(src=CT, dst=ARCHIVE) / nested))
        for tags in TAGS:
            self.assertEqual([Ether(f).summary() for f in self.sent_in_order(frames, tags)], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
