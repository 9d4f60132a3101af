#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input gets a clear error that names the place, all faults at once, and changes nothing."""
import subprocess
import unittest

from support import BIN, LAB_CONFIG, HospitalTest, run, wait_until

REFUSED, USAGE, UNREACHABLE = 1, 2, 3


class BadInputTest(HospitalTest):
    services = False

    def refused(self, text, *expected):
        """Applies documents that must be refused with all these texts, and checks that nothing changed."""
        before = self.hospital.ctl("get", "devices", "--output", "json").stdout, self.gateway_generation()
        result = self.apply("bad.yaml", text, check=False)
        self.assertEqual(result.returncode, REFUSED, result.stdout + result.stderr)
        for part in expected:
            self.assertIn(part, result.stdout + result.stderr)
        after = self.hospital.ctl("get", "devices", "--output", "json").stdout, self.gateway_generation()
        self.assertEqual(before, after, "a refused change must change nothing")

    def test_broken_yaml(self):
        self.refused("kind: Peer\nname: [unclosed\n", "bad.yaml:")

    def test_unknown_kind_field_and_peer_all_at_once(self):
        self.refused("kind: Per\nname: x\n---\nkind: Peer\nname: y\nadresses: [10.0.0.1]\n---\n"
                     "kind: Profile\nname: z\nrules:\n  - {id: a, initiator: device, peer: nobody, protocol: tcp, reason: r}\n",
                     "bad.yaml:1", "Per", "bad.yaml:6", "adresses", "nobody")

    def test_duplicate_macs_and_overlapping_addresses(self):
        device = ("kind: Device\nname: {name}\nidentity: {{mac: [\"{mac}\"], ip: [{ip}]}}\nclass: ct\ngateway: lab-gateway\n"
                  "pair: ward\nmode: enforce\n---\n")
        self.refused(device.format(name="twin-1", mac="02:00:00:00:02:31", ip="10.20.2.32") +
                     device.format(name="twin-2", mac="02:00:00:00:02:33", ip="10.20.2.31"),
                     "02:00:00:00:02:31", "10.20.2.31", "ct-2")

    def test_policy_for_a_gateway_that_does_not_exist(self):
        self.refused("kind: Device\nname: lost\nidentity: {mac: [\"02:00:00:00:77:01\"]}\nclass: ct\ngateway: nowhere\n"
                     "pair: ward\nmode: enforce\n", "nowhere", "bad.yaml:1")

    def test_inventory_with_bad_rows_imports_the_good_ones_and_names_the_rest(self):
        inventory = self.lab.directory / "mixed.csv"
        header = (LAB_CONFIG / "inventory.csv").read_text().splitlines()[0]
        rows = [f"BM-{i};S-{i};V;M;Infusion Pump;ICU;{mac};{ip};pump-x{i}" for i, mac, ip in (
            (1, "02:00:00:00:05:01", "10.20.5.1"), (2, "02:00:00:00:05:zz", "10.20.5.2"),
            (3, "02:00:00:00:05:03", "10.20.5.300"))]
        inventory.write_text("\n".join([header, *rows]) + "\n")
        result = self.hospital.ctl("import", "devices", inventory, "--mapping", LAB_CONFIG / "inventory-mapping.yaml",
                                   check=False)
        for part in ("mixed.csv:3", "MAC", "mixed.csv:4", "IP"):
            self.assertIn(part, result.stdout + result.stderr)
        self.assertIn("02:00:00:00:05:01", self.hospital.ctl("get", "devices", "--output", "json").stdout)

    def test_gateway_configuration_with_unknown_keys(self):
        config = self.lab.directory / "bad-gateway.yaml"
        config.write_text("gateway: x\npears: []\nworkers: {coars: [1]}\n")
        result = run([BIN / "cordon-gateway", "--config", config, "--check-config"], check=False)
        self.assertNotEqual(result.returncode, 0)
        for part in ("bad-gateway.yaml:2", "pears", "bad-gateway.yaml:3", "coars"):
            self.assertIn(part, result.stdout + result.stderr)

    def test_second_gateway_with_the_same_name_is_turned_away(self):
        first = (self.lab.directory / "gateway.yaml").read_text()
        second = self.lab.directory / "second.yaml"
        second.write_text(first.replace("gateway.sock", "second.sock").replace("gateway-state", "second-state")
                          .replace("9464", "9466").replace("interface: d0", "interface: d1")
                          .replace("interface: n0", "interface: n1"))
        box = self.hospital.box
        for interface in ("d1", "n1"):
            box.run("ip", "link", "add", interface, "type", "veth", "peer", "name", f"{interface}x")
        process = box.start("second-gateway", BIN / "cordon-gateway", "--config", second)
        socket = self.lab.directory / "second.sock"

        def turned_away():
            if not process.alive():
                self.fail(process.output())
            out = run([BIN / "cordonctl", "--gateway-socket", socket, "status"], check=False) if socket.exists() else None
            return out and "session" in out.stdout
        wait_until("the second gateway to learn that its name is taken", turned_away, 30)
        self.assertEqual(self.hospital.metrics()["cordon_controller_connected"], 1, "the first keeps its session")
        process.stop()

    def test_certificate_of_another_ca(self):
        other = self.lab.directory / "other-ca"
        subprocess.run([BIN.parents[2] / "scripts/make-certificates", other, "--controller", "192.168.77.1", "--gateway",
                        "lab-gateway", "--administrator", "mallory"], check=True, capture_output=True)
        good = self.lab.directory / "certificates"
        base = [BIN / "cordonctl", "--controller", "192.168.77.1:9443", "--timeout", "5s"]
        stranger = self.hospital.box.run(*base, "--ca", good / "ca.crt", "--certificate", other / "mallory.crt", "--key",
                                         other / "mallory.key", "status", check=False)
        self.assertEqual(stranger.returncode, UNREACHABLE, stranger.stdout + stranger.stderr)
        known = self.hospital.box.run(*base, "--ca", good / "ca.crt", "--certificate", good / "lab-admin.crt", "--key",
                                      good / "lab-admin.key", "status", check=False)
        self.assertEqual(known.returncode, 0, known.stdout + known.stderr)

    def test_nobody_listens(self):
        result = run([BIN / "cordonctl", "--controller", f"unix:{self.lab.directory}/none.sock", "status"], check=False)
        self.assertEqual(result.returncode, UNREACHABLE)
        self.assertIn("none.sock", result.stderr)

    def test_usage(self):
        self.assertEqual(run([BIN / "cordonctl", "aply"], check=False).returncode, USAGE)


if __name__ == "__main__":
    unittest.main(verbosity=2)
