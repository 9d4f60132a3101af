#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Real attack tools on both sides, all at once: thc-ipv6, hping3, nmap. What they send must not arrive, and the
pump's own connection must not notice."""
import time
import unittest

from attack_bed import ATTACKER6, ATTACKER_IP, CT_IP, PUMP6, PUMP_IP, SERVER6, SERVER_IP, AttackBed, tagged
from support import wait_until

from scapy.all import ARP, Ether, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RS, IPv6, PcapReader, TCP  # noqa: E402

OUR_ADDRESSES = {"pump": {PUMP6, "fe80::ff:fe00:121"}, "network": {SERVER6, ATTACKER6, "fe80::ff:fe00:220"}}
# Whole solicitations with hop limit 255 and nothing in front: the tools must learn the MAC address they attack.
RESOLUTION = "icmp6 and ip6[6]=58 and ip6[7]=255 and ip6[40]=135"
EXTENSIONS = [["atk6-fragmentation6", "-p", "eth0", "{target6}", str(n)] for n in range(1, 38)]
EXTENSIONS += [["atk6-firewall6", *udp, "eth0", "{target6}", "80", str(n)] for n in range(1, 40) for udp in ([], ["-u"])]
EXTENSIONS += [["atk6-implementation6", "-p", "eth0", "{target6}", str(n)] for n in range(1, 58)]
ROUTERS = [["atk6-fake_router6", *e, "eth0", "2001:db8::/64"] for e in ([], ["-H"], ["-F"], ["-D"], ["-HFD"])]
ROUTERS += [["atk6-fake_router26", "-E", e, "-n", "3", "eth0"] for e in ("F", "H", "1", "111", "D", "O", "o", "H1D")]
ROUTERS += [["atk6-kill_router6", *e, "eth0", "fe80::1"] for e in ([], ["-H"], ["-F"], ["-D"])]
ROUTERS += [["atk6-fake_advertise6", *e, "-n", "3", "-w", "1", "eth0", "{stolen6}", *to] for e in
            ([], ["-H"], ["-f"], ["-D"], ["-F"], ["-r"]) for to in ([], ["{target6}"])]
ROUTERS += [["atk6-redir6", "eth0", "{target6}", "2001:db8::9", "{own6}", "fe80::9"], ["atk6-parasite6", "-l", "eth0"],
            ["atk6-fake_dhcps6", "eth0", "2001:db8::/64", "2001:db8::1"], ["atk6-dos-new-ip6", "eth0"],
            ["atk6-fake_mld6", "eth0", "add", "ff02::fb"], ["atk6-node_query6", "eth0", "{target6}"],
            ["atk6-toobig6", "-u", "eth0", "{target6}", "{own6}", "1280"], ["atk6-randicmp6", "-p", "eth0", "{target6}"],
            ["atk6-fuzz_ip6", "-a", "-IFSDHRJ", "eth0", "{target6}"], ["atk6-fuzz_ip6", "-a", "-4", "eth0", "{target6}"]]
FLOODS = [["atk6-flood_router26", "-F", "eth0"], ["atk6-flood_router26", "-HfD", "eth0"], ["atk6-flood_redir6", "-HFD", "eth0", "{target6}"],
          ["atk6-flood_unreach6", "-R", "eth0", "{target6}"], ["atk6-flood_rs6", "-S", "eth0"], ["atk6-flood_mld6", "eth0"],
          ["atk6-thcsyn6", "-R", "eth0", "{target6}", "x"], ["atk6-smurf6", "eth0", "{target6}"], ["atk6-rsmurf6", "eth0", "{target6}"],
          ["atk6-ndpexhaust26", "-R", "-m", "eth0", "{target6}"], ["atk6-flood_dhcpc6", "eth0"]]
HPING = ["-S", "-A", "-R", "-F", "-P", "-U", "-X", "-Y", "-SF", "-SR", "-SFRPAUXY", "-S -f", "-S -m 8", "-S -x -g 8", "-S -g 16", "-S -b",
         "-S -t 1", "-S -O 3", "-S -O 15", "-S -M 0 -L 0 -w 0", "-S -o 10", "-S -G", "-S --lsrr {own}", "-S --ssrr {own}", "-S -d 600",
         "-S --tcp-timestamp", "-S -k -s 53", "-S -k -s 2575", "--udp", "--udp -k -s 53", "--udp -b", "--udp -f -d 64", "--udp -x",
         "--icmp", "--icmp -C 0", "--icmp -C 3 -K 4", "--icmp -C 5 -K 1", "--icmp -C 11", "--icmp -C 13", "--icmp -C 17", "--icmp -f -d 64",
         "--icmp --icmp-ipver 6", "--icmp --icmp-iplen 5", "--rawip -H 4", "--rawip -H 41", "--rawip -H 47", "--rawip -H 50", "--rawip -H 132",
         "--rawip -x -d 8", "-S -a {server}", "-S -a {target}", "--udp -a 0.0.0.0", "--udp -a 127.0.0.1", "-S -a 255.255.255.255"]


def fill(command, from_device):
    if from_device:
        words = {"target": ATTACKER_IP, "own": PUMP_IP, "server": SERVER_IP, "target6": SERVER6, "own6": PUMP6, "stolen6": SERVER6}
    else:
        words = {"target": PUMP_IP, "own": ATTACKER_IP, "server": CT_IP, "target6": PUMP6, "own6": ATTACKER6, "stolen6": PUMP6}
    return [word.format(**words) for word in command]


class AttackToolsTest(AttackBed, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            for space, addresses in ((cls.ward, [PUMP6]), (cls.core, [SERVER6, ATTACKER6])):
                space.run("sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=0", "net.ipv6.conf.eth0.router_solicitations=0")
                for address in addresses:
                    space.run("ip", "-6", "addr", "add", f"{address}/64", "dev", "eth0", "nodad")
            cls.core.start("telnet6", "socat", "TCP6-LISTEN:80,fork,ipv6only", "EXEC:cat")
            wait_until("the neighbours to know each other", lambda: "REACHABLE" in cls.neighbours() or "DELAY" in cls.neighbours())
        except BaseException:
            cls.lab.close()
            raise

    @classmethod
    def neighbours(cls):
        cls.core.run("ping", "-6", "-c", "1", "-W", "1", PUMP6, check=False)  # refused; its solicitation is answered
        return cls.core.run("ip", "-6", "neigh", "show", PUMP6).stdout

    @staticmethod
    def sent_by(space):
        return int(space.run("cat", "/sys/class/net/eth0/statistics/tx_packets").stdout)

    def is_legal(self, frame, from_device):
        """What these hosts may say anyway: the pump's connection, and who has which address, if it is true."""
        packet = Ether(frame)
        if self.is_ordinary(frame) or ARP in packet:
            return True
        if ICMPv6ND_NS in packet:  # a solicitation claims nothing but its own sender
            return isinstance(packet[IPv6].payload, ICMPv6ND_NS) and packet[IPv6].hlim == 255
        if ICMPv6ND_RS in packet:
            return isinstance(packet[IPv6].payload, ICMPv6ND_RS) and packet[IPv6].hlim == 255 and from_device
        if ICMPv6ND_NA in packet and isinstance(packet[IPv6].payload, ICMPv6ND_NA) and packet[IPv6].hlim == 255:
            return (packet[ICMPv6ND_NA].tgt in OUR_ADDRESSES["pump"]) == from_device
        return IPv6 in packet and TCP in packet and packet[TCP].dport == 2575 and from_device

    def battery(self, what, commands, sides, seconds, at_once=True, again_tagged=False):
        """Runs the commands from each of the sides; nothing forbidden may arrive on the other."""
        spaces = {True: (self.ward, self.core), False: (self.core, self.ward)}
        seen, before, probes, tools = {}, {}, {}, []
        for side in sides:
            source, target = spaces[side]
            before[side] = self.sent_by(source)
            if again_tagged:
                probes[side] = self.capture(source, f"probes-{what.replace(' ', '-')}-{side}", "out")
            file = self.lab.directory / f"{what.replace(' ', '-')}-{side}.pcap"
            capture = target.start(f"see-{file.stem}", "tcpdump", "-U", "-n", "-i", "eth0", "-Q", "in", "-s", "256", "-w", file,
                                   "-B", "16384", f"not ({RESOLUTION})")
            capture.wait_for_output("listening on")
            seen[side] = (file, capture)
        for side in sides:
            for number, command in enumerate(commands):
                argv = ["timeout", "-k", "1", str(seconds), *fill(command, side)]
                tools.append((argv, spaces[side][0].start(f"{what.replace(' ', '-')}-{side}-{number}", *argv)))
                if not at_once:
                    tools[-1][1].popen.wait(seconds + 5)
        for argv, tool in tools:
            tool.popen.wait(seconds + 10)
            self.assertNotIn(tool.popen.returncode, (126, 127), f"{argv}: {tool.output()}")
        time.sleep(0.2)
        for side in sides:
            file, capture = seen[side]
            capture.stop()
            with PcapReader(str(file)) as reader:
                forbidden = [bytes(f) for f in reader if not self.is_legal(bytes(f), side)]
            sent = self.sent_by(spaces[side][0]) - before[side]
            print(f"  {what}: {len(commands)} commands, {sent} frames from the {'device' if side else 'network'} side, "
                  f"{len(forbidden)} arrived", flush=True)
            self.assertEqual([Ether(f).summary() + " " + f.hex() for f in forbidden[:10]], [], what)
            self.assertGreater(sent, len(commands))
        for side, frames in probes.items():
            again = [f for f in frames() if not self.is_legal(f, side) and len(f) <= 1500]
            for tags in ([(30, 0x8100)], [(40, 0x8100), (30, 0x8100)]):
                self.nothing_arrives(f"the same in VLAN {[vid for vid, _ in tags]}", [tagged(f, *tags) for f in again], side)

    def test_thc_extension_headers_and_fragments(self):
        # R020, R030, R031, R036, R040
        self.battery("extension headers and fragments", EXTENSIONS, (True, False), 8, again_tagged=True)

    def test_thc_rogue_routers_and_neighbours(self):
        # R058, R059, R060, R039
        self.battery("rogue routers and neighbours", ROUTERS, (True, False), 4)

    def test_thc_floods(self):
        # R056, R063: what floods is refused, and the pump's connection goes on (tearDown).
        self.battery("floods", FLOODS, (False,), 0.7, at_once=False)
        self.battery("floods of a device", FLOODS, (True,), 0.7, at_once=False)

    def test_hping_of_every_kind(self):
        # R016, R024, R027, R029, R037
        commands = [["hping3", "-n", "-q", "-I", "eth0", "-c", "3", "-i", "u200000", *kind.split(),
                     *([] if "-a" in kind else ["-a", "{own}"]), "-p", port, "{target}"]
                    for kind in HPING for port in ("80", "3010") if port == "80" or "icmp" not in kind]
        self.battery("hping3", commands, (True, False), 5, again_tagged=True)

    def test_nmap_idle_scans(self):
        # A zombie would have to be seen through the gateway, and the probes bear its address.
        idle = ["nmap", "-n", "-Pn", "-T5", "--max-retries", "0", "--host-timeout", "5s", "-e", "eth0", "-p", "80,3010"]
        self.battery("nmap idle scan", [[*idle, "-sI", "{server}:80", "{target}"]], (True,), 8)
        self.battery("nmap idle scan by pump", [[*idle, "-sI", f"{PUMP_IP}:80", CT_IP], [*idle, "-6", "-sS", "{target6}"]], (False,), 8)


if __name__ == "__main__":
    unittest.main(verbosity=2)
