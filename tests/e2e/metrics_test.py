#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Both endpoints as Prometheus itself reads them."""
import json
import subprocess
import unittest

from support import ROOT, HospitalTest, address, wait_until


class MetricsTest(HospitalTest):
    services = False

    def text(self, who):
        space, url = {"gateway": (self.hospital.box, "http://127.0.0.1:9464/metrics"),
                      "controller": (self.hospital.management, "http://127.0.0.1:9465/metrics")}[who]
        return space.run("curl", "-sf", url).stdout

    def test_promtool_has_nothing_to_complain_about(self):
        for who in ("gateway", "controller"):
            check = subprocess.run(["promtool", "check", "metrics"], input=self.text(who), capture_output=True, text=True,
                                   check=False)
            self.assertEqual((check.returncode, check.stdout + check.stderr), (0, ""), who)

    def test_labels_are_bounded(self):
        before = set(k for k in self.hospital.metrics())
        self.hospital.host["visitor"].run("nmap", "-n", "-Pn", "-sS", "-T5", "--max-retries", "0", "-p", "1-200",
                                          "--host-timeout", "5s", address("archive"), check=False)
        wait_until("the visitor to be counted", lambda: any(
            "unknown_device" in k and v > 0 for k, v in self.hospital.metrics().items()))
        self.assertEqual(before, set(self.hospital.metrics()), "traffic must not make new series")
        self.assertNotIn("pump-1", self.text("gateway"))

    def test_health(self):
        for space, port in ((self.hospital.box, 9464), (self.hospital.management, 9465)):
            self.assertEqual(space.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
                                       f"http://127.0.0.1:{port}/healthz").stdout, "200")

    def test_real_prometheus_scrapes_and_loads_the_alerts(self):
        self.assertIn("SUCCESS", subprocess.run(
            ["promtool", "check", "rules", ROOT / "configs/prometheus/cordon-alerts.yml"], capture_output=True, text=True,
            check=False).stdout)
        config = self.lab.directory / "prometheus.yaml"
        config.write_text("global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: cordon-gateway\n"
                          "    static_configs: [{targets: ['127.0.0.1:9464']}]\n")
        self.hospital.box.start("prometheus", "prometheus", f"--config.file={config}",
                                f"--storage.tsdb.path={self.lab.directory}/tsdb", "--web.listen-address=127.0.0.1:9090",
                                "--log.level=warn")

        def generation():
            out = self.hospital.box.run("curl", "-sf", "http://127.0.0.1:9090/api/v1/query?query=cordon_policy_generation",
                                        check=False).stdout
            result = json.loads(out)["data"]["result"] if out else []
            return result and float(result[0]["value"][1])
        self.assertGreater(wait_until("Prometheus to know the generation", generation, 30), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
