#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What README.md and configs/ say holds on the real programs: every command, every metric, the example of a policy."""
import json
import re
import shlex
import subprocess
import unittest

from support import BIN, LAB_CONFIG, ROOT, HospitalTest, address, run

README = (ROOT / "README.md").read_text()
METRIC = re.compile(r"\bcordon_[a-z_]*[a-z]\b")


def block(section, language):
    """The first code block of a section of the README."""
    part = README.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    return part.split(f"```{language}\n", 1)[1].split("```", 1)[0]


def commands(section):
    """The cordonctl commands of a section, as argument lists."""
    for line in block(section, "sh").splitlines():
        for command in line.split(" #", 1)[0].split(";"):
            words = shlex.split(command)
            if words and words[0] == "cordonctl":
                yield words[1:]


class ReadmeTest(HospitalTest):
    services = False

    def in_the_lab(self, words):
        """The command's arguments with what the lab calls differently."""
        change = self.lab.directory / "change.yaml"
        change.write_text((LAB_CONFIG / "revoke-hl7.yaml").read_text())
        places = {"change.yaml": str(change), "inventory.csv": str(LAB_CONFIG / "inventory.csv"),
                  "mapping.yaml": str(LAB_CONFIG / "inventory-mapping.yaml"),
                  "/run/cordon/gateway.sock": str(self.hospital.gateway_socket)}
        words = [places.get(word, word) for word in words]
        if "rollback" in words:
            words[words.index("--to") + 1] = "2"  # the inventory was imported
        return words

    def run_command(self, words):
        words = self.in_the_lab(words)
        ctl = [BIN / "cordonctl", "--controller", f"unix:{self.hospital.controller_socket}"]
        if "--follow" not in words:
            return run([*ctl, *words], check=False)
        follower = self.hospital.management.start("follower", *ctl, *words)
        self.hospital.host["infected"].run("nmap", "-n", "-Pn", "-sS", "-p", "80", "--max-retries", "0", "--host-timeout", "5s",
                                           address("pump"), check=False)
        follower.wait_for_output("no_rule")
        follower.stop()
        return None

    def test_policy_example_applies_as_printed(self):
        result = self.apply("example.yaml", block("Writing policy", "yaml"), "--validate-only")
        self.assertIn("radiology-1", result.stdout)

    def test_commands_of_operating_work(self):
        run_here = 0
        for words in commands("Operating"):
            with self.subTest(command=shlex.join(words)):
                result = self.run_command(words)
                run_here += 1
                if result is not None:
                    self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertGreaterEqual(run_here, 8, "the section lost its commands, or this test does not find them")

    def test_every_metric_named_anywhere_is_served(self):
        def served():
            text = ""
            for space, port in ((self.hospital.box, 9464), (self.hospital.management, 9465)):
                text += space.run("curl", "-sf", f"http://127.0.0.1:{port}/metrics").stdout
            return set(METRIC.findall(text))
        known = served()
        files = [ROOT / "README.md", *(ROOT / "configs/prometheus").glob("*.yml"), *(ROOT / "configs/grafana").glob("*.json")]
        for file in files:
            self.assertEqual(set(METRIC.findall(file.read_text())) - known, set(), file)

    def test_shipped_configurations_have_no_fault_but_missing_files(self):
        for program in ("gateway", "controller"):
            result = run([BIN / f"cordon-{program}", "--config", ROOT / f"configs/{program}.yaml", "--check-config"],
                         check=False)
            faults = [line for line in (result.stdout + result.stderr).splitlines()
                      if "no fault" not in line and "No such file" not in line]
            self.assertEqual(faults, [], program)

    def test_programs_explain_themselves(self):
        for program in ("cordon-gateway", "cordon-controller", "cordonctl", "cordon-replay"):
            result = run([BIN / program, "--help"])
            self.assertRegex(result.stdout.lower(), "usage:", program)
            self.assertEqual(run([BIN / program, "--no-such-option"], check=False).returncode, 2, program)

    def test_structured_output_is_json_and_one_object_a_line_for_events(self):
        for command in (["status"], ["get", "devices"], ["generations"]):
            json.loads(self.hospital.ctl(*command, "--output", "json").stdout)
        for line in self.hospital.ctl("events", "--output", "json").stdout.splitlines():
            json.loads(line)

    def test_bash_completion_is_a_script(self):
        script = run([BIN / "cordonctl", "completion", "bash"]).stdout
        check = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
        self.assertEqual((check.returncode, check.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
