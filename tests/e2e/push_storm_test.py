#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""1,000 policy pushes under traffic: nothing allowed is lost, nothing forbidden passes, ACKs are true."""
import signal
import unittest

from support import ROOT, HospitalTest, address

PUSHES = 1000
PEER = address("pumpserver")


def policy(open_port):
    """Port 5000 always, `open_port` in this generation only."""
    return f"""kind: Profile
name: storm
rules:
  - {{id: always, initiator: device, peer: [{PEER}], protocol: udp, peer_ports: [5000], reason: always allowed}}
  - {{id: now, initiator: device, peer: [{PEER}], protocol: tcp, peer_ports: [{open_port}], reason: this generation}}
---
kind: Device
name: pump-1
identity: {{mac: ["02:00:00:00:01:21"], ip: [{address('pump')}]}}
class: infusion-pump
profile: storm
gateway: lab-gateway
pair: ward
mode: enforce
"""


class PushStormTest(HospitalTest):
    def receiver(self, port):
        process = self.hospital.host["pumpserver"].start(f"receive{port}", ROOT / "tests/e2e/udp.py", "receive", port)
        process.wait_for_output("ready")
        return process

    def result(self, process):
        process.stop(signal.SIGTERM)
        words = process.output().split()
        return int(words[words.index("received" if "received" in words else "sent") + 1])

    def test_pushes_under_traffic(self):
        # R104
        host = self.hospital.host
        for port in (6001, 6002):
            host["pumpserver"].start(f"listen{port}", "socat", f"TCP-LISTEN:{port},fork,reuseaddr", "SYSTEM:true")
        self.apply("storm.yaml", policy(6001))
        allowed, forbidden = self.receiver(5000), self.receiver(5001)
        good = host["pump"].start("send5000", ROOT / "tests/e2e/udp.py", "send", PEER, 5000, 1000)
        bad = host["pump"].start("send5001", ROOT / "tests/e2e/udp.py", "send", PEER, 5001, 500)
        good.wait_for_output("ready")
        for i in range(PUSHES):
            now, other = (6001, 6002) if i % 2 else (6002, 6001)
            self.apply("storm.yaml", policy(now))  # returns when the gateway said ACK
            if i % 50 == 0:
                self.assertTrue(self.hospital.tcp_opens("pump", PEER, now), f"push {i}: ACK, but the new rule is not in force")
                self.assertFalse(self.hospital.tcp_opens("pump", PEER, other, seconds=1),
                                 f"push {i}: ACK, but the old rule is still in force")
        sent_good, sent_bad = self.result(good), self.result(bad)
        got_good, got_bad = self.result(allowed), self.result(forbidden)
        print(f"{PUSHES} pushes: {got_good} of {sent_good} allowed and {got_bad} of {sent_bad} forbidden frames arrived")
        self.assertEqual(got_good, sent_good)
        self.assertEqual(got_bad, 0)
        self.assertGreater(sent_bad, 100)


if __name__ == "__main__":
    unittest.main(verbosity=2)
