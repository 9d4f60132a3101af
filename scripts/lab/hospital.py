# SPDX-License-Identifier: Apache-2.0
"""A small hospital in network namespaces, with real software and cordon-gateway inline.

      ward (device side)                          core (network side)
    pump     10.20.1.21 --+                    +-- pumpserver 10.20.0.20  HL7 over MLLP
    ct       10.20.2.31 --+-- d0 GATEWAY n0 ---+-- archive    10.20.0.10  DICOM (storescp)
    visitor  10.20.9.9  --+        |           +-- services   10.20.0.2   names (dnsmasq), time (chronyd)
                                 mgmt          +-- infected   10.20.0.66  the attacker
                                   |
                         management: cordon-controller, cordonctl, Prometheus
"""
import json
import pathlib
import signal

from netlab import Lab, LabError, Witness, run, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAB_CONFIG = ROOT / "configs" / "lab"
GATEWAY = "lab-gateway"

HOSTS = {  # name: (MAC, address, side)
    "pump": ("02:00:00:00:01:21", "10.20.1.21", "ward"),
    "ct": ("02:00:00:00:02:31", "10.20.2.31", "ward"),
    "visitor": ("02:00:00:00:09:09", "10.20.9.9", "ward"),
    "pumpserver": ("02:00:00:aa:00:20", "10.20.0.20", "core"),
    "archive": ("02:00:00:aa:00:10", "10.20.0.10", "core"),
    "services": ("02:00:00:aa:00:02", "10.20.0.2", "core"),
    "infected": ("02:00:00:aa:00:66", "10.20.0.66", "core"),
}


def address(host):
    return HOSTS[host][1]


class Hospital:
    def __init__(self, lab: Lab, binaries: pathlib.Path):
        self.lab, self.binaries = lab, binaries
        self.host, self.gateway, self.controller = {}, None, None

    # --- the building

    def build(self):
        lab = self.lab
        ward, core = lab.namespace("ward"), lab.namespace("core")
        lab.bridge(ward, "br0")
        lab.bridge(core, "br0")
        for name, (mac, ip, side) in HOSTS.items():
            self.host[name] = lab.namespace(name)
            switch = ward if side == "ward" else core
            lab.connect(self.host[name], "eth0", switch, name, mac=mac)
            lab.attach(switch, "br0", name)
            self.host[name].address("eth0", f"{ip}/16")
        box, management = lab.namespace("gateway"), lab.namespace("management")
        for interface, switch in (("d0", ward), ("n0", core)):
            lab.connect(box, interface, switch, "gateway")
            lab.attach(switch, "br0", "gateway")
        lab.connect(box, "mgmt", management, "gateway")
        box.address("mgmt", "192.168.77.2/24")
        management.address("gateway", "192.168.77.1/24")
        self.box, self.management = box, management

    def start_services(self):
        """The software that a hospital runs: all of it real."""
        lab, host = self.lab, self.host
        store = lab.directory / "archive"
        store.mkdir()
        host["archive"].start("storescp", "storescp", "--fork", "--aetitle", "ARCHIVE", "-od", store, "11112")
        host["pumpserver"].start("mllp-server", ROOT / "scripts/lab/mllp.py", "server", "2575")
        host["services"].start("dnsmasq", "dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts",
                               "--conf-file=/dev/null", "--pid-file=", "--user=root", "--bind-interfaces",
                               f"--listen-address={address('services')}",
                               f"--address=/archive.hospital.test/{address('archive')}")
        chrony = lab.directory / "chrony.conf"
        chrony.write_text("local stratum 8\nallow all\ncmdport 0\n" f"pidfile {lab.directory}/chrony.pid\n")
        # -x: serve time, never touch this machine's clock
        host["services"].start("chronyd", "chronyd", "-d", "-x", "-f", chrony, "-u", "root")
        # What the attack table tries to reach from the pump: really listening.
        host["pumpserver"].start("telnet", "socat", "TCP-LISTEN:23,fork,reuseaddr", "SYSTEM:echo login")
        host["infected"].start("smb", "socat", "TCP-LISTEN:445,fork,reuseaddr", "SYSTEM:echo smb")
        # The pump's own open service: what the infected host would like to find.
        host["pump"].start("pump-web", "socat", "TCP-LISTEN:80,fork,reuseaddr", "SYSTEM:echo pump")
        for name, port, protocol in (("archive", 11112, "tcp"), ("pumpserver", 2575, "tcp"),
                                     ("pumpserver", 23, "tcp"), ("infected", 445, "tcp"), ("pump", 80, "tcp"),
                                     ("services", 53, "udp"), ("services", 123, "udp")):
            wait_until(f"{name} to listen on {protocol} {port}", lambda n=name, p=port, q=protocol:
                       host[n].listening(p, q))

    # --- Cordon itself

    def start_controller(self):
        directory = self.lab.directory
        certificates = directory / "certificates"
        run([ROOT / "scripts/make-certificates", certificates, "--controller", "192.168.77.1", "--gateway", GATEWAY,
             "--administrator", "lab-admin"])
        self.controller_socket = directory / "controller.sock"
        config = directory / "controller.yaml"
        config.write_text((LAB_CONFIG / "controller.yaml.in").read_text().format(directory=directory))
        self.controller_config = config
        self.controller = self.management.start("controller", self.binaries / "cordon-controller", "--config", config)
        wait_until("the controller's socket", lambda: self.controller_socket.exists() or self._check(self.controller))
        wait_until("the controller to answer", lambda: self.ctl("status", check=False).returncode == 0)

    def start_gateway(self):
        config = self.lab.directory / "gateway.yaml"
        config.write_text((LAB_CONFIG / "gateway.yaml.in").read_text().format(directory=self.lab.directory))
        self.gateway_socket = self.lab.directory / "gateway.sock"
        self.gateway = self.box.start("gateway", self.binaries / "cordon-gateway", "--config", config)
        wait_until("the gateway's status socket", lambda: self.gateway_socket.exists() or self._check(self.gateway))
        wait_until("the gateway to answer", lambda: self.box_ctl("status", check=False).returncode == 0)

    @staticmethod
    def _check(process):
        if not process.alive():
            raise LabError(f"{process.name} ended with exit {process.popen.returncode}:\n{process.output()[-3000:]}")
        return False

    def ctl(self, *arguments, check=True, timeout=60):
        """cordonctl as an administrator on the management network runs it."""
        return self.management.run(self.binaries / "cordonctl", "--controller", f"unix:{self.controller_socket}",
                                   *arguments, check=check, timeout=timeout)

    def box_ctl(self, *arguments, check=True, timeout=60):
        """cordonctl on the gateway itself, without any controller."""
        return self.box.run(self.binaries / "cordonctl", "--gateway-socket", self.gateway_socket, *arguments,
                            check=check, timeout=timeout)

    def metrics(self, who="gateway"):
        """The Prometheus endpoint of a daemon as {name{labels}: value}."""
        space, url = {"gateway": (self.box, "http://127.0.0.1:9464/metrics"),
                      "controller": (self.management, "http://127.0.0.1:9465/metrics")}[who]
        text = space.run("curl", "-sf", url).stdout
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in text.splitlines() if line and not line.startswith("#")}

    def events(self, **wanted):
        """Refused and audited flows the controller remembers, as dictionaries, filtered by field."""
        output = self.ctl("events", "--last", "10000", "--output", "json").stdout
        records = [json.loads(line) for line in output.splitlines() if line.strip()]
        return [r for r in records if all(str(r.get(k)) == str(v) for k, v in wanted.items())]

    # --- what people and devices do

    def dicom_store(self):
        """The CT stores an image to the archive; returns (ok, text)."""
        image = self.lab.directory / "image.dcm"
        if not image.exists():
            dump = self.lab.directory / "image.dump"
            dump.write_text("(0008,0016) UI =SecondaryCaptureImageStorage\n(0008,0018) UI [1.2.276.0.7230010.3.1.4.1]\n"
                            "(0008,0060) CS [CT]\n(0010,0010) PN [Lab^Phantom]\n(0010,0020) LO [LAB-0000]\n"
                            "(0020,000d) UI [1.2.276.0.7230010.3.1.2.1]\n(0020,000e) UI [1.2.276.0.7230010.3.1.3.1]\n"
                            "(0028,0002) US 1\n(0028,0004) CS [MONOCHROME2]\n(0028,0010) US 256\n(0028,0011) US 256\n"
                            "(0028,0100) US 8\n(0028,0101) US 8\n(0028,0102) US 7\n(0028,0103) US 0\n"
                            "(7fe0,0010) OB " + "\\".join(["7f"] * 65536) + "\n")
            run(["dump2dcm", "--line", "262144", "--write-xfer-little", dump, image])
        result = self.host["ct"].run("storescu", "-v", "-to", "4", "-ta", "4", "-td", "4", "-aet", "CT2", "-aec", "ARCHIVE",
                                     address("archive"), "11112", image, check=False, timeout=30)
        return result.returncode == 0, (result.stdout + result.stderr).strip().splitlines()[-1:]

    def start_pump(self):
        self.pump = self.host["pump"].start("pump", ROOT / "scripts/lab/mllp.py", "pump", address("pumpserver"), "2575")

    def pump_events(self):
        return [json.loads(line) for line in self.pump.output().splitlines() if line.startswith("{")]

    def acks(self):
        return sum(e["event"] == "ack" for e in self.pump_events())

    def tcp_opens(self, host, target, port, seconds=2):
        """Whether a TCP connection opens."""
        return self.host[host].run("nc", "-z", "-w", str(seconds), target, str(port), check=False).returncode == 0


__all__ = ["GATEWAY", "HOSTS", "LAB_CONFIG", "ROOT", "Hospital", "Lab", "LabError", "Witness", "address", "run",
           "signal", "wait_until"]
