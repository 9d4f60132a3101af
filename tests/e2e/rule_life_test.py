#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rules that end by themselves, denials for everybody, and what a gateway tells of rules and flows."""
import datetime
import json
import signal
import time
import unittest

from support import ROOT, HospitalTest, address, wait_until

PEER = address("pumpserver")
OVERLAY = """kind: Overlay
name: no-5000
rules:
{rules}
"""
DENY = "  - {id: udp, peer: any, protocol: udp, ports: [5000], reason: an emergency}"


def policy(extra="", knobs=""):
    return f"""kind: Profile
name: storm
{knobs}
rules:
  - {{id: report, initiator: device, peer: [{PEER}], protocol: udp, peer_ports: [5000], reason: reports{extra}}}
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


class RuleLifeTest(HospitalTest):
    services = False

    def box(self, *arguments):
        return json.loads(self.hospital.box_ctl(*arguments, "--output", "json").stdout)

    def rule(self, origin):
        rules = self.box("rules", origin)["rules"]
        return rules[0] if rules else None

    def send(self, name):
        process = self.hospital.host["pump"].start(name, ROOT / "tests/e2e/udp.py", "send", PEER, 5000, 100)
        process.wait_for_output("ready")
        return process

    def flows(self):
        return self.box("flows", "--device", "pump-1", "--rule", "storm/report")["flows"]

    def test_1_flows_and_hits_name_the_rule(self):
        """H6, H8, N8: a flow is led back to its rule and its generation."""
        self.apply("life.yaml", policy())
        sender = self.send("first")
        wait_until("the flow", lambda: len(self.flows()) == 1)
        flow = self.flows()[0]
        self.assertEqual((flow["peer_ip"], flow["peer_port"], flow["verdict"]), (PEER, 5000, "forward"))
        self.assertEqual(flow["generation"], self.gateway_generation())
        self.assertEqual(self.rule("storm/report")["hits"], 1)
        self.assertEqual(self.box("flows", "--older-than", "1h")["flows"], [])
        self.assertEqual(len(self.box("flows", "--generation", str(flow["generation"]))["flows"]), 1)
        sender.stop(signal.SIGTERM)

    def test_2_hits_survive_a_push_and_a_restart(self):
        before = self.rule("storm/report")["hits"]
        self.apply("life.yaml", policy(extra=", log: true"))
        self.assertEqual(self.rule("storm/report")["hits"], before)
        self.hospital.gateway.stop(signal.SIGTERM)
        self.hospital.gateway_socket.unlink(missing_ok=True)
        self.hospital.start_gateway()
        self.assertEqual(self.rule("storm/report")["hits"], before)

    def test_3_an_overlay_ends_what_rules_allow_and_is_lifted(self):
        """C12: denied before rules, for everybody, at once; R085."""
        sender = self.send("second")
        wait_until("the flow", lambda: len(self.flows()) == 1)
        began = time.monotonic()
        self.apply("overlay.yaml", OVERLAY.format(rules=DENY))
        wait_until("the flow to end", lambda: self.flows() == [])
        self.assertLess(time.monotonic() - began, 3)
        wait_until("denials to count", lambda: self.rule("no-5000/udp")["hits"] > 0)
        self.assertTrue(self.rule("no-5000/udp")["overlay"])
        self.assertIn("no-5000", self.hospital.ctl("get", "overlays").stdout)
        explained = self.hospital.ctl("explain", "--device", "pump-1", "--to", f"{PEER}:5000/udp", check=False).stdout
        self.assertIn("no-5000/udp", explained)
        self.apply("overlay.yaml", OVERLAY.format(rules="  []"))
        wait_until("the flow to be back", lambda: len(self.flows()) == 1)
        sender.stop(signal.SIGTERM)

    def test_4_a_rule_expires_by_the_gateways_clock(self):
        """C9: also without a controller, and what it had admitted ends with it."""
        moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=8)
        self.apply("life.yaml", policy(extra=f", expires_at: '{moment.strftime('%Y-%m-%dT%H:%M:%SZ')}'"))
        self.hospital.controller.stop(signal.SIGKILL)
        sender = self.send("third")
        wait_until("the flow", lambda: len(self.flows()) == 1)
        generation = self.gateway_generation()
        wait_until("the flow to end", lambda: self.flows() == [], 15)
        self.assertLess(datetime.datetime.now(datetime.timezone.utc) - moment, datetime.timedelta(seconds=3))
        self.assertTrue(self.rule("storm/report")["expired"])
        self.assertEqual(self.gateway_generation(), generation)
        sender.stop(signal.SIGTERM)


if __name__ == "__main__":
    unittest.main(verbosity=2)
