# SPDX-License-Identifier: Apache-2.0
"""How each kind of case is measured. Every method returns the figures of one device under test in one round."""
import json
import pathlib
import subprocess
import threading
import time

import duts
from machine import BIN, DUT_CORE, GENERATOR_CORE, ROOT, LabError, Program, wait_until

PAGES_BASE, PAGES_MILLION = 900, 2000


class Bench:
    def __init__(self, directory, quick):
        self.dir, self.quick = pathlib.Path(directory), quick
        self.duts = {dut.name: dut for dut in (
            duts.Testpmd(self), duts.Cordon(self),
            duts.Reference(self, "rte-acl", "acl", False), duts.Reference(self, "rte-hash-acl", "flows", True),
            duts.OpenVswitch(self, "ovs", False), duts.OpenVswitch(self, "ovs-ct", True),
            duts.LinuxBridge(self, "linux-bridge", "", False), duts.LinuxBridge(self, "nft", "bridge.nft", False),
            duts.LinuxBridge(self, "nft-ct", "bridge-ct.nft", True))}

    def stop_all(self):
        for dut in self.duts.values():
            dut.stop()

    def measure(self, case, name):
        dut = self.duts[name]
        try:
            return getattr(self, case.kind)(case, dut)
        finally:
            dut.stop()

    # --- what is measured with, made when first needed

    def _made(self, path, argv):
        if not path.exists():
            subprocess.run([str(a) for a in argv], check=True)
        return path

    def policy_file(self, case, name):
        words = "-".join(case.policy_options()).replace("--", "")
        path = self.dir / f"policy-{words}" / name
        path.parent.mkdir(exist_ok=True)
        return self._made(path, [BIN / "bench-policy", *case.policy_options(), "--flows", "1", "--write", path])

    def captures(self, case):
        folder = self.dir / f"trace-{'-'.join(case.model_options()).replace('--', '')}"
        folder.mkdir(exist_ok=True)
        return [self._made(folder / name, [BIN / "bench-policy", *case.model_options(), "--write", folder / name])
                for name in case.captures]

    def state(self, case, pairs=1):
        """A state directory that holds the policy, as if a controller had pushed it."""
        words = "-".join(case.policy_options()).replace("--", "")
        return self._made(self.dir / f"state-{pairs}-{words}",
                          [BIN / "bench-state", *case.policy_options(), "--pairs", pairs,
                           "--directory", self.dir / f"state-{pairs}-{words}"])

    def traffic(self, case, dut, *options, vdevs=None, namespace=None, timeout=180):
        """Runs the generator against a device that is ready; returns its rows."""
        argv = [BIN / "bench-traffic",
                *duts.eal(vdevs or duts.memif(self.dir, "client", ",zero-copy=yes"), str(GENERATOR_CORE), 256, "benchgen"),
                "--", *case.model_options(), "--receive-queues", dut.receive_queues, *options]
        prefix = (["ip", "netns", "exec", namespace] if namespace else [])
        try:
            done = subprocess.run([str(a) for a in prefix + argv], capture_output=True, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired as error:
            raise LabError(f"bench-traffic did not end: {error}") from error
        rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if not rows:
            raise LabError(f"bench-traffic measured nothing:\n{done.stderr[-2000:]}")
        return rows

    def run_options(self):
        return ["--time", "0.3", "--runs", "2" if self.quick else "3"]

    @staticmethod
    def opening(case, dut):
        if case.model.get("deny") == 100:
            return ["--syn", "yes"]  # nothing is allowed: there is nothing to open, and no way back
        return ["--both", "yes"] + (["--open", str(dut.open_mpps)] if dut.stateful else [])

    # --- kinds of cases

    def memif(self, case, dut):
        dut.start_memif(case)
        return best_of(self.traffic(case, dut, *self.opening(case, dut), *self.run_options()))

    def veth(self, case, dut):
        dut.start_veth(case)
        rows = self.traffic(case, dut, *self.opening(case, dut), *self.run_options(), vdevs=dut.vdevs(),
                            namespace=dut.GENERATOR)
        return best_of(rows)

    def flows(self, case, dut):
        dut.start_memif(case)
        return best_of(self.traffic(case, dut, "--do", "flows", "--runs", "1"))

    def pcap(self, case, dut):
        return {"mpps": dut.pcap_rate(case, self.captures(case), 0.8 if self.quick else 1.2)}

    def latency(self, case, dut):
        dut.start_memif(case)
        rows = self.traffic(case, dut, *self.opening(case, dut), "--rate", "1", "--latency", "yes", "--time", "0.6",
                            "--runs", "3")
        middle = sorted(rows, key=lambda row: row["latency_p50_us"])[1]
        return {"mpps": middle["mpps"], "p50_us": middle["latency_p50_us"], "p99_us": middle["latency_p99_us"],
                **judged(rows)}

    def search(self, case, dut):
        dut.start_memif(case)
        row = self.traffic(case, dut, *self.opening(case, dut), "--do", "search", "--time", "0.3")[0]
        return {"mpps": row["loss_free_mpps"], "saturated_mpps": row["saturated_mpps"],
                "share": row["loss_free_mpps"] / row["saturated_mpps"]}

    def push(self, case, dut):
        del dut
        done = subprocess.run([BIN / "bench-swap", *case.policy_options(), "--swaps", "3" if self.quick else "7",
                               "--worker-core", str(DUT_CORE), "--publisher-core", str(GENERATOR_CORE)],
                              capture_output=True, text=True, timeout=180, check=False)
        if not done.stdout:
            raise LabError(f"bench-swap: exit {done.returncode}: {done.stderr[-1000:]}")
        row = json.loads(done.stdout)
        return {**{k: v for k, v in row.items() if k.endswith(("_ms", "_mb", "_us"))}, "lost": 0, "wrong": row["misjudged"]}

    def pipeline(self, case, dut, program="bench-pipeline"):
        del case, dut
        arguments = [BIN / program, "--core", str(DUT_CORE), "--json"]
        small = subprocess.run([*arguments, "--repeat", "3"], capture_output=True, text=True, timeout=300, check=False).stdout
        large = "" if self.quick else subprocess.run(
            [*arguments, "--repeat", "3", "--devices", "10000", "--rules", "64", "--flows", "100000", "--case", "new",
             "--case", "refused"], capture_output=True, text=True, timeout=300, check=False).stdout
        figures = {}
        for text, rules in ((small, ""), (large, "-640k")):
            for row in map(json.loads, text.splitlines()):
                key = f"{row['case'].removeprefix('pipeline-')}-{row['shape']}-{row['flows']}{rules}"
                figures[key] = row["stages"] if program == "bench-stages" else row["added"]
                if not row["right"]:
                    figures["wrong"] = 1
        if not figures:
            raise LabError(f"{program} said nothing")
        return figures

    def stages(self, case, dut):
        return self.pipeline(case, dut, "bench-stages")

    def scaling(self, case, dut):
        captures, seconds = self.captures(case), 1.2
        dut.state_pairs = 2
        try:
            both = dut.pcap_rates(case, [captures, captures], seconds, [GENERATOR_CORE, DUT_CORE])
        finally:
            dut.state_pairs = 1
        dut.stop()
        one = dut.pcap_rates(case, [captures], seconds, [DUT_CORE])
        return {"mpps": both, "one_mpps": one, "share": both / one}

    def swap(self, case, dut):
        return Swap(self, case, dut).run()


def judged(rows):
    return {"lost": sum(row["lost"] for row in rows), "wrong": sum(row["wrong"] for row in rows)}


def best_of(rows):
    best = max(rows, key=lambda row: row["mpps"])
    return {"mpps": best["mpps"], "backpressure": best["backpressure"], **judged(rows)}


class Swap:
    """A controller pushes two policies in turn while frames run at 80 % of the saturated rate. What both allow must
    never be lost, what both refuse must never pass; what one of them allows shows that the pushes took effect."""

    def __init__(self, bench, case, dut):
        self.bench, self.case, self.dut, self.dir = bench, case, dut, bench.dir

    def ctl(self, *argv):
        """Not on the core of the device under test."""
        return subprocess.run(["taskset", "-c", str(GENERATOR_CORE), BIN / "cordonctl", "--controller",
                               f"unix:{self.dir}/controller.sock", *argv],
                              capture_output=True, text=True, timeout=120, check=False)

    def run(self):
        (self.dir / "controller.yaml").write_text(
            (ROOT / "configs/lab/controller-bench.yaml.in").read_text().format(directory=self.dir))
        controller = Program([BIN / "cordon-controller", "--config", self.dir / "controller.yaml"],
                             self.dir / "controller.log", pin=GENERATOR_CORE)
        try:
            wait_until("the controller", lambda: self.ctl("status").returncode == 0)
            controller_line = f"controller: {{address: 'unix:{self.dir}/controller.sock'}}"
            self.apply("policy.yaml", "--no-wait")
            self.dut.start_memif(self.case, controller=controller_line)
            self.apply("other.yaml")
            return self.measure()
        finally:
            self.dut.stop()
            controller.stop()

    def apply(self, name, *options):
        path = self.dir / name
        if not path.exists():
            subprocess.run([BIN / "bench-policy", *self.case.model_options(), "--write", path], check=True)
        self.checked("apply", "-f", path, *options)

    def checked(self, *argv):
        done = self.ctl(*argv)
        if done.returncode != 0:
            raise LabError(f"cordonctl {argv[0]}: exit {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")

    def measure(self):
        base = ["--both", "yes", "--open", "0.3"]
        rate = 0.8 * max(row["mpps"] for row in self.bench.traffic(self.case, self.dut, *base, "--time", "0.4", "--runs", "3"))
        seconds = 6 if self.bench.quick else 12
        rows = []
        generator = threading.Thread(target=lambda: rows.extend(self.bench.traffic(
            self.case, self.dut, *base, "--rate", f"{rate:.3f}", "--polite", "yes", "--time", str(seconds), "--runs", "1")))
        full = self.dut.counter("cordon_transmit_failed_total")
        generator.start()
        end, swaps = time.monotonic() + seconds - 1, 0
        while time.monotonic() < end and generator.is_alive():
            self.checked("rollback", "--comment", "bench")  # to the generation before: the other policy
            swaps += 1
        generator.join()
        if not rows:
            raise LabError("the generator failed during the swaps")
        ring_full = self.dut.counter("cordon_transmit_failed_total") - full
        return {"mpps": rows[0]["mpps"], "swaps": swaps, "saturated_mpps": rate / 0.8, "ring_full": ring_full, "either": rows[0]["either"], **judged(rows)}


def pages_for(cases):
    return PAGES_BASE + (PAGES_MILLION if any(c.kind == "pcap" and c.flow_count() >= 1_000_000 for c in cases) else 0)

