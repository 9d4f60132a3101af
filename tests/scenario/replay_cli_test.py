#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""cordon-replay as a person meets it: help, exit codes, and errors that name their place.

    replay_cli_test.py CORDON_REPLAY
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SCENE = HERE / "vlan-ct"
PROGRAM = None


def replay(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], text=True, capture_output=True, timeout=60, check=False)


class ReplayCli(unittest.TestCase):
    GOOD = ("--policy", SCENE / "policy.yaml", "--gateway", "gateway", "--pair", "ward")
    CAPTURE = ("--device-side", SCENE / "device.pcap")

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def file(self, name, content):
        path = pathlib.Path(self.directory.name) / name
        path.write_bytes(content)
        return path

    def refuses(self, arguments, *words):
        result = replay(*arguments)
        self.assertEqual(result.returncode, 2, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        return result

    def test_help_teaches_and_exits_0(self):
        result = replay("--help")
        self.assertEqual(result.returncode, 0)
        for word in ("--policy", "--device-side", "Example", "Exit"):
            self.assertIn(word, result.stdout)

    def test_usage_errors_exit_2_and_say_what_is_missing(self):
        self.refuses((), "--policy is missing")
        self.refuses(self.GOOD, "no capture")
        self.refuses(self.GOOD[:2] + self.CAPTURE, "--gateway is missing")
        self.refuses(self.GOOD + self.CAPTURE + ("--jsn",), "--jsn")
        self.refuses(self.GOOD + self.CAPTURE + ("--adopt-grace", "5m"), "whole number of seconds")

    def test_json_has_one_object_a_frame(self):
        result = replay(*self.GOOD, *self.CAPTURE, "--network-side", SCENE / "network.pcap", "--json")
        frames = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([f["frame"] for f in frames], list(range(1, len(frames) + 1)))
        self.assertEqual(list(frames[0]), ["frame", "side", "verdict", "reason", "device", "rule"])

    def test_table_ends_with_a_summary(self):
        result = replay(*self.GOOD, *self.CAPTURE)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("drop     unknown_device                          3", result.stdout)
        self.assertRegex(result.stdout.splitlines()[-1], r"^total +7$")

    def test_truncated_capture_names_the_frame_after_the_verdicts_before_it(self):
        cut = self.file("cut.pcap", (SCENE / "device.pcap").read_bytes()[:-5])
        result = self.refuses(self.GOOD + ("--device-side", cut, "--json"), "cut.pcap: frame 7: truncated")
        self.assertEqual(len(result.stdout.splitlines()), 6)

    def test_what_is_no_capture_is_named(self):
        self.refuses(self.GOOD + ("--device-side", self.file("x.pcap", b"text")), "x.pcap")
        self.refuses(self.GOOD + ("--network-side", "/nowhere.pcap"), "/nowhere.pcap")

    def test_all_faults_of_a_policy_come_with_file_and_line(self):
        policy = self.file("p.yaml", b"kind: Device\nname: D\nmod: enforce\n---\nkind: Thing\nname: t\n")
        self.refuses(("--policy", policy) + self.GOOD[2:] + self.CAPTURE, "p.yaml:2: name", "p.yaml:3",
                     "did you mean 'mode'", "p.yaml:5: kind", "3 faults")

    def test_references_that_do_not_resolve_come_with_file_and_line(self):
        policy = self.file("p.yaml", b"kind: Gateway\nname: gateway\npairs: [{name: ward}]\n---\nkind: Device\nname: d\n"
                                     b"identity: {mac: 020000000001}\nprofile: ct\ngateway: gateway\npair: lab\n")
        self.refuses(("--policy", policy) + self.GOOD[2:] + self.CAPTURE, "p.yaml:5: Device d: profile",
                     "p.yaml:5: Device d: pair", "ward")

    def test_unknown_gateway_and_pair_say_which_there_are(self):
        self.refuses(self.GOOD[:2] + ("--gateway", "x", "--pair", "ward") + self.CAPTURE, "it has: gateway")
        self.refuses(self.GOOD[:4] + ("--pair", "x") + self.CAPTURE, "it has: ward")

    def test_full_output_is_an_error(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            result = subprocess.run([PROGRAM, *map(str, self.GOOD + self.CAPTURE)], stdout=full, text=True,
                                    stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(result.returncode, 2)
        self.assertIn("cannot write", result.stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
