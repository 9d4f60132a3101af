#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""From observe to enforce: what a device was seen to need becomes its policy, and it keeps working."""
import unittest

from support import HospitalTest, address, wait_until

DEVICE = """kind: Device
name: ct-2
identity: {{mac: ["02:00:00:00:02:31"], ip: [{ip}]}}
class: ct
profile: {profile}
gateway: lab-gateway
pair: ward
mode: {mode}
"""
NOTHING = "kind: Profile\nname: nothing-yet\nrules: []\n---\n"


class LearnTest(HospitalTest):
    def document(self, profile, mode):
        return DEVICE.format(ip=address("ct"), profile=profile, mode=mode)

    def propose(self):
        return self.hospital.ctl("learn", "propose", "--device", "ct-2").stdout

    def test_observed_flows_become_rules_that_keep_the_device_working(self):
        self.apply("observe.yaml", NOTHING + self.document("nothing-yet", "observe"))
        self.assertTrue(self.hospital.dicom_store()[0], "observe passes everything")
        self.hospital.host["ct"].run("dig", "+short", "+time=2", "+tries=1", f"@{address('services')}", "archive.hospital.test")
        # A device that is being watched may be attacked meanwhile: that must not become a rule.
        self.hospital.host["infected"].run("nmap", "-n", "-Pn", "-sS", "-T5", "--max-retries", "0", "-p", "1-100",
                                           "--host-timeout", "10s", address("ct"), check=False)
        proposal = wait_until("both flows to be proposed", lambda: "11112" in (p := self.propose()) and "53" in p and p, 30)
        self.assertIn(address("archive"), proposal)
        self.assertIn("seen on 1 device", proposal)
        self.assertNotIn(address("infected"), "\n".join(
            line for line in proposal.splitlines() if not line.lstrip().startswith("#")))
        self.assertEqual(proposal, self.propose(), "the same flows give the same text")

        applied = self.apply("learned.yaml", proposal)
        name = next(line.split(":")[1].strip() for line in proposal.splitlines() if line.startswith("name:"))
        self.assertIn("Generation", applied.stdout)
        self.apply("enforce.yaml", self.document(name, "enforce"))
        self.assertTrue(self.hospital.dicom_store()[0], "what was learned is enough")
        self.assertFalse(self.hospital.tcp_opens("ct", address("infected"), 445), "and nothing else passes")

    def test_audit_forwards_and_marks(self):
        self.apply("audit.yaml", NOTHING + self.document("nothing-yet", "audit"))
        self.assertTrue(self.hospital.dicom_store()[0], "audit cuts nothing off")
        wait_until("the audited flow to be reported", lambda: any(
            "audit" in str(e.get("verdict", "")).lower() for e in self.hospital.events(device="ct-2")))
        self.assertGreater(sum(v for k, v in self.hospital.metrics().items()
                               if k.startswith("cordon_audited_frames_total") and "no_rule" in k), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
