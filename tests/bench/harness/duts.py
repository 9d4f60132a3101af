# SPDX-License-Identifier: Apache-2.0
"""Devices under test: each forwards between a device side and a network side on core 1.

A Dut is started on two ports, measured, and stopped again. memif: it owns the server side of the socket;
the generator is the client. pcap: frames come from a capture inside its own core, port 1 swallows them.
"""
import os
import subprocess
import time
import urllib.request

from machine import BIN, DUT_CORE, GENERATOR_CORE, ROOT, LabError, Program, free_tcp_port, need_program, wait_until

# Every frame of a capture is kept in a buffer of this many bytes.
BUFFER_BYTES = 2400


def memif(directory, role, extra=""):
    return [f"net_memif{i},role={role},id={i},socket={directory}/m.sock,socket-abstract=no,bsize=2048,rsize=10{extra}"
            for i in (0, 1)]


def eal(vdevs, cores, megabytes, prefix):
    return ["-l", cores, "--in-memory", "--no-pci", f"--file-prefix={prefix}", "-m", str(megabytes),
            "--single-file-segments", "--no-telemetry", *[f"--vdev={v}" for v in vdevs]]


def buffers(frames):
    """Buffers, and megabytes for them, of a program that replays so many frames."""
    count = frames + 30_000
    return count, 200 + count * BUFFER_BYTES // 1_000_000


def replay(captures, first=0):
    """The two ports of a pair: each sends its capture over and over, and swallows what it is to transmit."""
    network = f"net_pcap{first + 1},rx_pcap={captures[1]},infinite_rx=1" if len(captures) > 1 else f"net_null{first + 1},no-rx=1"
    return f"net_pcap{first},rx_pcap={captures[0]},infinite_rx=1", network


class Dut:
    name = ""
    stateful = True          # flows must be opened before they pass
    receive_queues = 1       # of the generator: some devices send on more queues than one
    open_mpps = 1.0          # how fast flows may be opened

    def __init__(self, bench):
        self.bench, self.dir, self.programs = bench, bench.dir, []

    def start(self, argv, name, **options):
        program = Program(argv, self.dir / f"{name}.log", **options)
        self.programs.append(program)
        return program

    def stop(self):
        for program in reversed(self.programs):
            program.stop()
        self.programs.clear()
        (self.dir / "m.sock").unlink(missing_ok=True)

    def start_memif(self, case):
        raise NotImplementedError

    def pcap_rate(self, case, captures, seconds):
        """Mpps of frames taken from the captures of both sides."""
        raise NotImplementedError


class Cordon(Dut):
    name = "cordon"
    state_pairs = 1

    def launch(self, case, pairs, cores, megabytes=512, mbufs=40_000, adopt="0s", controller=""):
        self.metrics_port = free_tcp_port()
        text = (ROOT / "configs/lab/gateway-bench.yaml.in").read_text().format(
            directory=self.dir, state=self.dir / "state" if controller else self.bench.state(case, self.state_pairs), cores=cores,
            megabytes=megabytes, mbufs=mbufs, adopt_grace=adopt, metrics_port=self.metrics_port, controller=controller,
            flow_capacity=max(262_144, case.model.get("flows", 10_000) * 3 // 2),
            pairs="\n".join(f'  - name: {name}\n    device_side: {{port: "{device}"}}\n    network_side: {{port: "{network}"}}'
                            for name, device, network in pairs))
        (self.dir / "gateway.yaml").write_text(text)
        gateway = self.start([BIN / "cordon-gateway", "--config", self.dir / "gateway.yaml"], "gateway")
        gateway.await_text("gateway bench:")
        return gateway

    def start_memif(self, case, controller=""):
        device, network = memif(self.dir, "server")
        self.launch(case, [("bench", device, network)], [DUT_CORE], controller=controller)

    def pcap_rate(self, case, captures, seconds):
        return self.pcap_rates(case, [captures], seconds, [DUT_CORE])

    def pcap_rates(self, case, pairs, seconds, cores):
        count, megabytes = buffers(case.model["flows"] * sum(len(captures) for captures in pairs))
        names = ["bench", "second"]
        self.launch(case, [(names[i], *replay(captures, 2 * i)) for i, captures in enumerate(pairs)], cores, megabytes,
                    count, adopt="0s" if case.captures == ("syn.pcap",) else "10m")
        time.sleep(0.5)
        start, first = time.monotonic(), self.counter("cordon_frames_total")
        time.sleep(seconds)
        end, last = time.monotonic(), self.counter("cordon_frames_total")
        return (last - first) / (end - start) / 1e6

    def counter(self, family):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines
                   if line.startswith((family + "{", family + " ")))


class Testpmd(Dut):
    """Forwards without looking: the limit of the ports."""
    name, stateful = "io", False

    def launch(self, vdevs, megabytes, *options):
        need_program("dpdk-testpmd", "dpdk-dev")
        program = self.start(["dpdk-testpmd", *eal(vdevs, f"{GENERATOR_CORE},{DUT_CORE}", megabytes, "benchdut"),
                              f"--main-lcore={GENERATOR_CORE}", "--", "--nb-cores=1", "--forward-mode=io", "--burst=32",
                              "--disable-link-check", *options], "testpmd")
        program.await_text("Press enter", "packet forwarding")
        return program

    def start_memif(self, case):
        self.launch(memif(self.dir, "server"), 400, "--total-num-mbufs=32768", "--rxd=1024", "--txd=1024",
                    "--stats-period=600")

    def pcap_rate(self, case, captures, seconds):
        count, megabytes = buffers(case.model["flows"] * len(captures))
        program = self.launch(replay(captures), megabytes, f"--total-num-mbufs={count}", "--stats-period=1")
        def rates():
            """Mpps over both ports, by period; the first is not a whole one."""
            ports = [float(line.split("Rx-pps:")[1].split()[0]) / 1e6 for line in program.text().splitlines()
                     if "Rx-pps:" in line]
            return [a + b for a, b in zip(ports[2::2], ports[3::2])]
        wait_until("testpmd's figures", lambda: len(rates()) >= max(1, round(seconds)), 30)
        return max(rates())


class Reference(Dut):
    """tests/bench/reference_forwarder.cc: DPDK's own classifier, alone or behind DPDK's own hash table."""

    def __init__(self, bench, name, enforce, stateful):
        super().__init__(bench)
        self.name, self.enforce, self.stateful = name, enforce, stateful

    def launch(self, case, vdevs, megabytes, mbufs):
        program = self.start([BIN / "bench-reference", *eal(vdevs, str(DUT_CORE), megabytes, "benchdut"), "--",
                              *case.policy_options(), "--enforce", self.enforce, "--mbufs", str(mbufs)], self.name)
        program.await_text("ready")
        return program

    def start_memif(self, case):
        self.launch(case, memif(self.dir, "server"), 900, 65_535)

    def pcap_rate(self, case, captures, seconds):
        count, megabytes = buffers(case.model["flows"] * len(captures))
        program = self.launch(case, replay(captures), megabytes + 500, count)
        wanted = round(seconds / 0.4) + 3
        def lines():
            return [eval_line(line) for line in program.text().splitlines() if line.startswith('{"received"')]
        wait_until("the reference's figures", lambda: len(lines()) >= wanted, 30)
        first, last = lines()[1], lines()[wanted - 1]
        return (last["received"] - first["received"]) / (last["seconds"] - first["seconds"]) / 1e6


def eval_line(line):
    import json  # pylint: disable=import-outside-toplevel
    return json.loads(line)


class OpenVswitch(Dut):
    """OVS with the DPDK datapath, all of it under a directory of its own. Sends on a queue per thread."""
    receive_queues, open_mpps = 2, 0.1
    VSWITCHD = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"

    def __init__(self, bench, name, tracking):
        super().__init__(bench)
        self.name, self.tracking, self.stateful = name, tracking, True

    def start_memif(self, case):
        need_program("ovsdb-tool", "openvswitch-switch-dpdk")
        need_program(self.VSWITCHD, "openvswitch-switch-dpdk")
        home = self.dir / "ovs"
        home.mkdir(exist_ok=True)
        for old in home.iterdir():
            old.unlink()
        self.env = {f"OVS_{name}": str(home) for name in ("RUNDIR", "DBDIR", "LOGDIR", "SYSCONFDIR")}
        self.run("ovsdb-tool", "create", home / "conf.db", "/usr/share/openvswitch/vswitch.ovsschema")
        self.start(["ovsdb-server", home / "conf.db", f"--remote=punix:{home}/db.sock", f"--unixctl={home}/db.ctl",
                    f"--log-file={home}/db.log", "-vconsole:off"], "ovsdb", env=self.env, pin=GENERATOR_CORE)
        wait_until("the database of OVS", (home / "db.sock").exists)
        vsctl = ("ovs-vsctl", f"--db=unix:{home}/db.sock", "-t", "30")
        extra = f"--in-memory --no-pci --file-prefix=benchovs -l {GENERATOR_CORE} --single-file-segments --no-telemetry -m 900"
        self.run(*vsctl, "--no-wait", "init", "--", "set", "Open_vSwitch", ".", "other_config:dpdk-init=true",
                 f"other_config:dpdk-extra={extra}", f"other_config:pmd-cpu-mask={1 << DUT_CORE:#x}",
                 "other_config:emc-insert-inv-prob=100", "other_config:max-idle=600000", "other_config:flow-limit=2000000")
        self.start([self.VSWITCHD, f"unix:{home}/db.sock", f"--unixctl={home}/ovs.ctl", f"--log-file={home}/ovs.log",
                    "-vconsole:off"], "ovs", env=self.env, pin=GENERATOR_CORE)
        self.run(*vsctl, "add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev", "fail-mode=secure")
        for i, vdev in enumerate(memif(self.dir, "server")):
            self.run(*vsctl, "add-port", "br0", f"p{i}", "--", "set", "Interface", f"p{i}", "type=dpdk",
                     f"ofport_request={i + 1}", "options:n_rxq=1", f"options:dpdk-devargs=\"{vdev}\"")
        flows = self.bench.policy_file(case, "ovs-ct.flows" if self.tracking else "ovs.flows")
        self.run("ovs-ofctl", "-O", "OpenFlow14", "--bundle", "add-flows", f"unix:{home}/br0.mgmt", flows)
        if self.tracking:
            self.run("ovs-appctl", "-t", home / "ovs.ctl", "dpctl/ct-set-maxconns", "3000000")
            self.run("ovs-appctl", "-t", home / "ovs.ctl", "dpctl/ct-disable-tcp-seq-chk")

    def run(self, *argv):
        done = subprocess.run([str(a) for a in argv], env={**os.environ, **self.env}, capture_output=True, text=True,
                              timeout=120, check=False)
        if done.returncode != 0:
            raise LabError(f"{argv[0]}: exit {done.returncode}: {done.stderr[-1000:]}")


class LinuxBridge(Dut):
    """A kernel bridge between veth pairs in a namespace. It runs in the soft interrupt of the core that sends:
    generator, veth and bridge share core 0, so only differences between these peers mean something."""
    open_mpps = 0.05
    GENERATOR, BRIDGE = "cordon-bench-gen", "cordon-bench-dut"

    def __init__(self, bench, name, rules, stateful):
        super().__init__(bench)
        self.name, self.rules, self.stateful = name, rules, stateful

    def run(self, *argv):
        done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise LabError(f"{' '.join(map(str, argv[:6]))}: exit {done.returncode}: {done.stderr[-1000:]}")

    def start_veth(self, case):
        if self.rules:
            need_program("nft", "nftables")
        for name in (self.GENERATOR, self.BRIDGE):
            self.run("ip", "netns", "add", name)
            inside = ("ip", "netns", "exec", name)
            self.run(*inside, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        inside = ("ip", "netns", "exec", self.BRIDGE)
        self.run("ip", "-n", self.BRIDGE, "link", "add", "bench0", "type", "bridge", "mcast_snooping", "0")
        for far, near in (("gen-dev", "bench-dev"), ("gen-net", "bench-net")):
            self.run("ip", "-n", self.GENERATOR, "link", "add", far, "type", "veth", "peer", "name", near, "netns", self.BRIDGE)
            self.run("ip", "-n", self.BRIDGE, "link", "set", "dev", near, "master", "bench0", "up")
            self.run("ip", "-n", self.GENERATOR, "link", "set", far, "up")
            self.run("ip", "netns", "exec", self.GENERATOR, "ethtool", "-K", far, "tx", "off", "rx", "off", "gro", "off")
        self.run("ip", "-n", self.BRIDGE, "link", "set", "bench0", "up")
        self.run(*inside, "bridge", "fdb", "replace", "02:ff:00:00:00:01", "dev", "bench-net", "master", "static")
        if self.rules == "bridge-ct.nft":
            self.run("modprobe", "br_netfilter") if not br_netfilter_is_there() else None
            self.run(*inside, "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1")
        if self.rules:
            self.run(*inside, "nft", "-f", self.bench.policy_file(case, self.rules))

    def vdevs(self):
        return [f"net_af_packet{i},iface={name},qpairs=1,blocksz=65536,framesz=2048,framecnt=4096,qdisc_bypass=1"
                for i, name in enumerate(("gen-dev", "gen-net"))]

    def stop(self):
        super().stop()
        for name in (self.GENERATOR, self.BRIDGE):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def br_netfilter_is_there():
    return os.path.exists("/proc/sys/net/bridge/bridge-nf-call-iptables")
