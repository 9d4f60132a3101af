# SPDX-License-Identifier: Apache-2.0
"""Hosts on one machine: network namespaces, veth pairs, bridges and the processes in them.

Everything a Lab makes carries its own prefix and is gone after close(), also after a failure; only
processes that it started itself are ended, by pid. Needs root. Standard library only.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time


class LabError(Exception):
    """Something in the lab did not work; the text says what, and how it looked."""


def run(argv, check=True, timeout=60, **kwargs):
    """Runs a command to its end; returns the CompletedProcess with text output."""
    result = subprocess.run([str(a) for a in argv], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            stdin=subprocess.DEVNULL, timeout=timeout, check=False, **kwargs)
    if check and result.returncode != 0:
        raise LabError(f"{' '.join(map(str, argv))}: exit {result.returncode}\n{result.stdout}{result.stderr}")
    return result


def wait_until(what, predicate, timeout=20.0):
    """Waits for an event that can only be polled; raises LabError naming it when it does not come."""
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise LabError(f"waited {timeout:.0f} s in vain for: {what}")
        time.sleep(0.02)


class Process:
    """A program running in a namespace, with its output in files."""

    def __init__(self, lab, name, argv, namespace=None, env=None):
        self.name, self.log = name, lab.directory / f"{name}.log"
        argv = [str(a) for a in argv]
        if namespace:
            argv = ["ip", "netns", "exec", namespace.full_name] + argv
        self._output = open(self.log, "ab")
        self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._output,
                                      start_new_session=True, env={**os.environ, **(env or {})})

    @property
    def pid(self):
        return self.popen.pid

    def output(self):
        return self.log.read_text(errors="replace")

    def alive(self):
        return self.popen.poll() is None

    def wait_for_output(self, text, timeout=20.0):
        def look():
            if text in self.output():
                return True
            if not self.alive():
                raise LabError(f"{self.name} ended with exit {self.popen.returncode}:\n{self.output()[-3000:]}")
            return False
        try:
            wait_until(f"{self.name} to say '{text}'", look, timeout)
        except LabError as error:
            raise LabError(f"{error}\n--- {self.name}:\n{self.output()[-3000:]}") from None

    def send(self, number):
        if self.alive():
            os.killpg(self.popen.pid, number)

    def stop(self, number=signal.SIGTERM, timeout=10.0):
        """Ends the process; kills it if it does not listen. Returns its exit code."""
        self.send(number)
        try:
            self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait(timeout)
        self._output.close()
        return self.popen.returncode


class Namespace:
    """One host of the lab."""

    def __init__(self, lab, name):
        self.lab, self.name, self.full_name = lab, name, f"{lab.prefix}-{name}"
        run(["ip", "netns", "add", self.full_name])
        self.run("ip", "link", "set", "lo", "up")
        self.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")

    def run(self, *argv, check=True, timeout=60, **kwargs):
        return run(["ip", "netns", "exec", self.full_name, *argv], check=check, timeout=timeout, **kwargs)

    def start(self, name, *argv, env=None):
        process = Process(self.lab, name, argv, self, env)
        self.lab.processes.append(process)
        return process

    def address(self, interface, address):
        self.run("ip", "addr", "add", address, "dev", interface)

    def listening(self, port, protocol="tcp"):
        flag = "-Hltn" if protocol == "tcp" else "-Hlun"
        return f":{port} " in self.run("ss", flag).stdout


class Lab:
    """A set of namespaces. Use as a context manager."""

    def __init__(self, keep=False):
        self.prefix = f"cl{os.getpid()}"
        self.keep = keep
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cordon-lab-"))
        self.namespaces, self.processes = {}, []
        self._links = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.keep:
            self.close()

    def namespace(self, name):
        self.namespaces[name] = Namespace(self, name)
        return self.namespaces[name]

    def connect(self, a, interface_a, b, interface_b, mac=None):
        """A cable between two namespaces; `mac` is the address of end a."""
        self._links += 1
        temporary = [f"{self.prefix}x{self._links}", f"{self.prefix}y{self._links}"]
        run(["ip", "link", "add", temporary[0], "type", "veth", "peer", "name", temporary[1]])
        for end, space, interface in ((temporary[0], a, interface_a), (temporary[1], b, interface_b)):
            run(["ip", "link", "set", end, "netns", space.full_name, "name", interface])
            # Frames must look as they would on a wire: whole checksums, no super-frames, tags inside.
            for feature in ("tx", "tso", "gso", "gro", "rxvlan", "txvlan"):
                space.run("ethtool", "-K", interface, feature, "off", check=False)
        if mac:
            a.run("ip", "link", "set", interface_a, "address", mac)
        for space, interface in ((a, interface_a), (b, interface_b)):
            space.run("ip", "link", "set", interface, "up")

    def bridge(self, namespace, name):
        namespace.run("ip", "link", "add", name, "type", "bridge", "forward_delay", "0", "stp_state", "0",
                      "mcast_snooping", "0")
        namespace.run("ip", "link", "set", name, "up")

    def attach(self, namespace, bridge, interface):
        namespace.run("ip", "link", "set", interface, "master", bridge)

    def close(self):
        for process in reversed(self.processes):
            try:
                process.stop(timeout=5)
            except (ProcessLookupError, OSError):
                pass
        self.processes.clear()
        for namespace in self.namespaces.values():
            run(["ip", "netns", "del", namespace.full_name], check=False)
        self.namespaces.clear()
        shutil.rmtree(self.directory, ignore_errors=True)


class Witness:
    """Counts what arrives at an interface: the proof that something did not get through."""

    def __init__(self, namespace, interface, name, expression):
        self.file = namespace.lab.directory / f"{name}.pcap"
        self.process = namespace.start(f"witness-{name}", "tcpdump", "-U", "-n", "-i", interface, "-w", self.file,
                                       "--immediate-mode", "-Q", "in", *expression.split())
        self.process.wait_for_output("listening on")

    def frames(self):
        """Stops the capture and returns the frames, a line each."""
        self.process.stop(signal.SIGINT)
        return run(["tcpdump", "-n", "-e", "-r", self.file], check=False).stdout.splitlines()

    def count(self):
        """Stops the capture and returns the number of frames."""
        return len(self.frames())
