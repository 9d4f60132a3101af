# SPDX-License-Identifier: Apache-2.0
"""The machine that is measured on: its clock, cores and hugepages, and the programs started on it."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess

from netlab import LabError, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = ROOT / "build/release/bin"
GENERATOR_CORE, DUT_CORE = 0, 1
HUGE = pathlib.Path("/proc/sys/vm/nr_hugepages")


class Missing(Exception):
    """A peer that is not installed here; the text says what to install."""


def need_program(name, package):
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed (package {package})")
    return found


def tsc_mhz():
    text = subprocess.run(["dmesg"], capture_output=True, text=True, check=False).stdout
    for line in text.splitlines():
        if "tsc: Detected" in line and "MHz processor" in line:
            return float(line.split("Detected")[1].split()[0])
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("bogomips"):
            return float(line.split(":")[1]) / 2
    raise LabError("cannot tell the frequency of the time stamp counter")


def machine_line():
    cpu = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), "unknown CPU")
    dpdk = subprocess.run(["pkg-config", "--modversion", "libdpdk"], capture_output=True, text=True, check=False).stdout
    return f"{os.cpu_count()} CPUs, {cpu}, {tsc_mhz():.1f} MHz TSC, Linux {os.uname().release}, DPDK {dpdk.strip()}"


def free_tcp_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def prefer(pid="self", nice=-20):
    """Whatever else runs on this machine gets what is left over: the kernel shares cores out by session."""
    try:
        pathlib.Path(f"/proc/{pid}/autogroup").write_text(str(nice))
    except OSError:
        pass  # a kernel without groups by session; then figures need a quiet machine


class Hugepages:
    """Adds pages while it is open, and takes away what it added."""

    def __init__(self, pages):
        self.pages, self.added = pages, 0

    def __enter__(self):
        before = int(HUGE.read_text())
        HUGE.write_text(str(before + self.pages))
        self.added = int(HUGE.read_text()) - before
        if self.added < self.pages:
            self.__exit__()
            raise LabError(f"{self.pages} hugepages of 2 MiB wanted, the kernel gave {self.added}: free some memory")
        return self

    def __exit__(self, *_):
        HUGE.write_text(str(max(0, int(HUGE.read_text()) - self.added)))


class Program:
    """A program with its output in a file. `pin`: the core it is to run on, where it does not choose itself."""

    def __init__(self, argv, log, env=None, pin=None, namespace=None):
        argv = [str(a) for a in argv]
        if pin is not None:
            argv = ["taskset", "-c", str(pin)] + argv
        if namespace is not None:
            argv = ["ip", "netns", "exec", namespace] + argv
        self.log = log
        self.output = open(log, "wb")
        self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT,
                                      start_new_session=True, env={**os.environ, **(env or {})})
        prefer(self.popen.pid)

    def text(self):
        return self.log.read_text(errors="replace")

    def await_text(self, *texts, timeout=60):
        def look():
            if any(t in self.text() for t in texts):
                return True
            if self.popen.poll() is not None:
                raise LabError(f"{self.popen.args[0]} ended with exit {self.popen.returncode}:\n{self.text()[-3000:]}")
            return False
        wait_until(f"{self.popen.args[0]} to say {texts}", look, timeout)

    def stop(self):
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGTERM)
            try:
                self.popen.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.popen.pid, signal.SIGKILL)
                self.popen.wait()
        self.output.close()
