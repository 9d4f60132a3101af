#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One device floods, from its own address and from everybody's: another device's HL7 exchange loses at most one
message in a thousand, and the flooder's frames do not reach the other side beyond what its rules allow."""
import random
import time
import unittest

from attack_bed import ARCHIVE_IP, BROADCAST, CT, CT_IP, PUMP_IP, SERVER_IP, AttackBed, inward, outward
from support import ROOT, wait_until

from scapy.all import ARP, ICMP, IP, TCP, UDP, IPv6, IPv6ExtHdrFragment, Raw, fragment  # noqa: E402

SECONDS = 3
EXCHANGE = 2576  # another L4 port than the bed's own connection


class FloodTest(AttackBed, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            cls.core.start("hl7-server", ROOT / "scripts/lab/mllp.py", "server", str(EXCHANGE))
            wait_until("the HL7 server", lambda: cls.core.listening(EXCHANGE))
        except BaseException:
            cls.lab.close()
            raise

    def exchange_during(self, what, flood):
        """Runs flood() until it returns; the pump exchanges HL7 messages all the while."""
        pump = self.ward.start(f"hl7-{what.replace(' ', '-')}", ROOT / "scripts/lab/mllp.py", "pump", SERVER_IP, str(EXCHANGE),
                               "--interval", "0.003", "--timeout", "1")
        wait_until("the first acknowledgement", lambda: '"ack"' in pump.output())
        quiet = pump.output().count('"ack"')
        flooded = flood()
        acknowledged = pump.output().count('"ack"') - quiet
        pump.stop()
        lost = sum(pump.output().count(f'"{event}"') for event in ("timeout", "failed"))
        print(f"  {what}: {flooded}; {acknowledged} HL7 messages acknowledged meanwhile, {lost} lost", flush=True)
        self.assertGreater(acknowledged, 100)
        self.assertLessEqual(lost, (acknowledged + quiet) / 1000)

    def replay(self, frames, wire=None):
        """Sends the frames round and round as fast as it goes; says how many."""
        wire, sent, end = wire or self.device, 0, time.monotonic() + SECONDS
        while time.monotonic() < end:
            for frame in frames:
                wire.socket.send(frame)
            sent += len(frames)
        return f"{sent} frames in {SECONDS} s"

    def test_syn_flood(self):
        # R083, R084
        frames = [bytes(outward(IP(src=CT_IP, dst=ARCHIVE_IP), TCP(sport=port, dport=104, flags="S"), source=CT)) for port in range(1024, 3500)]
        self.exchange_during("half-open connections of the CT", lambda: self.replay(frames))

    def test_udp_flood_of_new_flows(self):
        # R084, R117
        frames = [bytes(outward(IP(src=CT_IP, dst=ARCHIVE_IP), UDP(sport=port, dport=104), Raw(b"x"), source=CT)) for port in range(1024, 3500)]
        self.exchange_during("new UDP flows of the CT", lambda: self.replay(frames))

    def test_flood_of_refused_and_spoofed_frames(self):
        dice = random.Random(1)
        frames = [bytes(outward(IP(src=f"10.20.{dice.randrange(256)}.{dice.randrange(256)}", dst=SERVER_IP),
                                TCP(sport=dice.randrange(1024, 65536), dport=dice.choice([80, 445, 2575]), flags="S"), source=CT)) for _ in range(5000)]
        self.exchange_during("spoofed senders behind the CT", lambda: self.replay(frames))

    def test_fragment_flood(self):
        # R042, R043
        frames = []
        for number in range(1500):
            packet = IP(src=CT_IP, dst=ARCHIVE_IP, id=number) / UDP(sport=5000, dport=104) / Raw(bytes(64))
            first, *rest = fragment(packet, 32)
            frames += [bytes(outward(piece, source=CT)) for piece in (rest if number % 2 else [first])]
        self.exchange_during("fragments of the CT without end", lambda: self.replay(frames))

    def test_fragmented_ping_of_another_device_during_a_fragment_flood(self):
        # R043: the pump's own fragments still find each other
        frames = []
        for number in range(3000):
            packet = IP(src=CT_IP, dst=ARCHIVE_IP, id=number) / UDP(sport=5000, dport=104) / Raw(bytes(64))
            frames.append(bytes(outward(fragment(packet, 32)[-1], source=CT)))
        ping = self.core.start("fragmented-ping", "ping", "-q", "-c", "60", "-i", "0.05", "-W", "1", "-s", "3000", PUMP_IP)
        self.replay(frames)
        ping.popen.wait(10)
        print(f"  fragmented pings to the pump: {[line for line in ping.output().splitlines() if 'received' in line]}", flush=True)
        # Each ping is six frames on a cable that the flood fills.
        received = int(next(line for line in ping.output().splitlines() if "received" in line).split()[3])
        self.assertGreaterEqual(received, 57)

    def test_arp_and_broadcast_flood(self):
        # R056, R063
        frames = [bytes(outward(ARP(op=1, hwsrc=CT, psrc=CT_IP, pdst=f"10.20.{n >> 8}.{n & 255}"), source=CT, destination=BROADCAST)) for n in range(2000)]
        frames += [bytes(outward(IP(src=CT_IP, dst="10.20.255.255"), UDP(sport=137, dport=137), Raw(bytes(50)), source=CT, destination=BROADCAST))] * 500
        self.exchange_during("ARP and broadcasts of the CT", lambda: self.replay(frames))

    def test_storm_of_scrapes(self):
        # R143: twenty Prometheus servers that never wait
        def scrape():
            loop = "while :; do curl -sf -o /dev/null http://127.0.0.1:9464/metrics || exit 1; done"
            clients = [self.box.start(f"scraper{n}", "timeout", str(SECONDS), "sh", "-c", loop) for n in range(20)]
            codes = {client.popen.wait(SECONDS + 10) for client in clients}
            self.assertEqual(codes, {124}, "every scrape was answered until the time was over")
            return "20 clients without a pause"
        self.exchange_during("scrapes of the metrics", scrape)

    def test_floods_from_the_network(self):
        # A flood at one device costs the others nothing.
        frames = [bytes(inward(IP(src=f"10.20.200.{n & 255}", dst=CT_IP), kind, destination=CT)) for n in range(3000)
                  for kind in (TCP(sport=1024 + n, dport=80, flags="S"), UDP(sport=1024 + n, dport=5000), ICMP(id=n))]
        frames += [bytes(inward(IPv6(src="fd00:20::66", dst="fd00:20::1:21"), IPv6ExtHdrFragment(id=n, m=1), Raw(bytes(64)), destination=CT)) for n in range(500)]
        self.exchange_during("everything from the network at the CT", lambda: self.replay(frames, self.network))


if __name__ == "__main__":
    unittest.main(verbosity=2)
