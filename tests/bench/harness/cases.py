# SPDX-License-Identifier: Apache-2.0
"""What is measured. A case has a kind (a method of Bench), a model, and the devices under test that take part."""
import dataclasses


@dataclasses.dataclass
class Case:
    name: str
    kind: str
    about: str
    model: dict = dataclasses.field(default_factory=dict)
    duts: tuple = ("io", "cordon")
    rounds: int = 99          # at most so many; slow and steady ones need few
    captures: tuple = ("device.pcap", "network.pcap")   # by side; one: nothing comes from the network
    baseline: str = ""        # the case whose io (or first dut) of the same round is compared with; default: itself

    def model_options(self):
        return [word for key, value in self.model.items() for word in (f"--{key}", str(value))]

    def policy_options(self):
        """Of the fleet only: cases that differ in traffic share a policy."""
        return [word for key, value in self.model.items() if key in ("devices", "rules", "shape")
                for word in (f"--{key}", str(value))]

    def flow_count(self):
        return self.model.get("flows", 10_000)


SMALL = {"devices": 1000, "rules": 16}
LARGE = {"devices": 10_000, "rules": 64}


def memif(name, about, flows, duts=("io", "cordon"), fleet=None, baseline="", rounds=99, **more):
    return Case(name, "memif", about, {**(fleet or SMALL), "flows": flows, **more}, duts, rounds, baseline=baseline)


def pcap(name, about, flows, duts=("io", "cordon"), fleet=None, captures=("device.pcap", "network.pcap"), rounds=99, **more):
    return Case(name, "pcap", about, {**(fleet or SMALL), "flows": flows, **more}, duts, rounds, captures)


CASES = [
    memif("memif-1k", "1,000 flows, both ways", 1_000),
    memif("memif-10k", "10,000 flows, against every peer", 10_000,
          ("io", "cordon", "rte-acl", "rte-hash-acl", "ovs", "ovs-ct")),
    memif("memif-100k", "100,000 flows", 100_000),
    memif("memif-1m", "1,000,000 flows", 1_000_000, ("io", "cordon", "rte-hash-acl")),
    memif("memif-4m", "4,000,000 flows", 4_000_000, rounds=2),
    memif("memif-640k-rules", "10,000 devices x 64 rules, 100,000 flows", 100_000, fleet=LARGE),
    memif("memif-10-devices", "10 devices, 10,000 flows", 10_000, ("cordon",), {"devices": 10, "rules": 16},
          baseline="memif-10k"),
    memif("memif-100k-devices", "100,000 devices, 10,000 flows", 10_000, ("cordon",),
          {"devices": 100_000, "rules": 16}, baseline="memif-10k"),
    memif("memif-imix", "IMIX (7 of 60, 4 of 590, 1 of 1514 bytes), 10,000 flows", 10_000, size="imix", rounds=2),
    memif("memif-1514", "1514-byte frames, 10,000 flows", 10_000, size=1514, rounds=2),
    memif("memif-refused", "a deny flood: every frame refused, 16,000 rules", 10_000, ("cordon",), deny=100,
          baseline="memif-10k"),
    memif("memif-refused-640k", "a deny flood, 640,000 rules", 100_000, ("cordon",), LARGE, deny=100,
          baseline="memif-640k-rules"),
    Case("new-flows", "flows", "every frame opens a flow; mpps is million flows a second",
         {**SMALL, "flows": 500_000, "deny": 0}, ("cordon", "rte-hash-acl")),
    pcap("pcap-1k", "1,000 flows, from a capture inside the core", 1_000),
    pcap("pcap-10k", "10,000 flows", 10_000, ("io", "cordon", "rte-acl", "rte-hash-acl")),
    pcap("pcap-100k", "100,000 flows", 100_000),
    pcap("pcap-1m", "1,000,000 flows", 1_000_000, ("io", "cordon", "rte-acl", "rte-hash-acl"), rounds=5),
    pcap("pcap-vlan", "tagged frames, 10,000 flows", 10_000, shape="vlan", rounds=3),
    pcap("pcap-v6", "IPv6, 10,000 flows", 10_000, shape="v6", rounds=3),
    pcap("pcap-refused", "every frame refused, 16,000 rules, 10,000 flows", 10_000, ("io", "cordon", "rte-acl"),
         captures=("syn.pcap",), deny=100),
    pcap("pcap-refused-640k", "every frame refused, 640,000 rules, 100,000 flows", 100_000, fleet=LARGE,
         captures=("syn.pcap",), deny=100),
    Case("latency-1mpps", "latency", "delay at 1 Mpps, 10,000 flows", {**SMALL, "flows": 10_000}),
    Case("loss-free", "search", "highest rate without a lost frame, 10,000 flows", {**SMALL, "flows": 10_000},
         ("cordon",), 3, baseline="memif-10k"),
    Case("policy-push", "push", "compile and publish 640,000 rules while a worker judges frames", LARGE, ("cordon",), 3),
    Case("policy-swap", "swap", "two different policies in turn, by the controller, at 80 % of the saturated rate",
         {**SMALL, "flows": 10_000, "two-policies": "yes"}, ("cordon",), 1),
    Case("pipeline", "pipeline", "cycles between Receive and Transmit, no ports", {}, ("cordon",), 2),
    Case("stages", "stages", "the same, stage by stage", {}, ("cordon",), 1),
    Case("two-workers", "scaling", "two pairs on two cores, 10,000 flows each", {**SMALL, "flows": 10_000}, ("cordon",), 3),
    Case("veth-10k", "veth", "Linux bridge and nftables between veth pairs, 10,000 flows", {**SMALL, "flows": 10_000},
         ("linux-bridge", "nft", "nft-ct"), 2),
]
# Far from the others, and steady: fewer rounds tell as much.
DUT_ROUNDS = {"ovs": 2, "ovs-ct": 2, "rte-acl": 3}
QUICK = ("memif-10k", "pcap-10k", "pcap-refused", "policy-push", "pipeline")
QUICK_DUTS = ("io", "cordon", "rte-hash-acl")
