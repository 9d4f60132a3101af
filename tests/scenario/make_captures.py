#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the scenes: captures, what must become of each frame, and the page that tells the story.

    make_captures.py          writes tests/scenario/*/{README.md,device.pcap,network.pcap,expected.jsonl}
    make_captures.py --check  writes nothing; exit 1 if what is committed differs from what it would write

Verdicts are written here by hand, from what a clinical engineer would expect, never copied from the
program's output. The policy of a scene is policy.yaml in its folder; arguments, where there is one,
holds further arguments of cordon-replay (paths from the root of the source).
"""
import filecmp
import pathlib
import sys
import tempfile

from scapy.all import ARP, BOOTP, DHCP, DNS, DNSQR, ICMP, IP, TCP, UDP, Ether, ICMPv6EchoRequest, ICMPv6EchoReply
from scapy.all import IPv6, ICMPv6ND_NA, ICMPv6ND_RA, ICMPv6ND_Redirect, ICMPv6NDOptDstLLAddr, Raw
from scapy.all import IPerror, UDPerror, fragment

from scene import DEVICE, NETWORK, Host, Scene, Tcp, audit, by_rule, drop, forward

HERE = pathlib.Path(__file__).resolve().parent

PUMP = Host("02:00:00:00:01:21", "10.20.1.21", DEVICE)
CT = Host("02:00:00:00:02:31", "10.20.2.31", DEVICE)
PUMP_2 = Host("02:00:00:00:01:22", "10.20.1.22", DEVICE)
MONITOR = Host("02:00:00:00:04:11", "10.40.0.11", DEVICE)
VISITOR = Host("02:00:00:00:09:09", "10.20.9.9", DEVICE)
PUMP_SERVER = Host("02:00:00:aa:00:20", "10.20.0.20", NETWORK)
ARCHIVE = Host("02:00:00:aa:00:10", "10.20.0.10", NETWORK)
SERVICES = Host("02:00:00:aa:00:02", "10.20.0.2", NETWORK)
INFECTED = Host("02:00:00:aa:00:66", "10.20.0.66", NETWORK)
BIOMED = Host("02:00:00:aa:00:70", "10.20.0.70", NETWORK)
SYSLOG = Host("02:00:00:aa:00:50", "10.20.0.50", NETWORK)
SWITCH = Host("02:00:00:bb:00:01", "10.20.0.250", NETWORK)
OTHER_MONITOR = Host("02:00:00:aa:04:12", "10.40.0.12", NETWORK)
CENTRAL = Host("02:00:00:aa:04:01", "10.40.0.1", NETWORK)

HL7 = b"\x0bMSH|^~\\&|PUMP|ICU|SRV|HOSP|20231114221320||ORU^R01|1|P|2.6\rOBX|1|NM|158007^rate||5|mL/h\r\x1c\r"
HL7_ACK = b"\x0bMSH|^~\\&|SRV|HOSP|PUMP|ICU|20231114221320||ACK^R01|1|P|2.6\rMSA|AA|1\r\x1c\r"
ASSOCIATE_RQ = b"\x01\x00\x00\x00\x00\x44\x00\x01\x00\x00" + b"ARCHIVE".ljust(16) + b"CT2".ljust(16) + bytes(32)
ASSOCIATE_AC = b"\x02" + ASSOCIATE_RQ[1:]
NTP_REQUEST, NTP_ANSWER = b"\x23" + bytes(47), b"\x24" + bytes(47)
P_DATA = b"\x04\x00\x00\x00\x00\x40" + bytes(64)


def pump_hl7():
    scene = Scene("pump-hl7", "An infusion pump reports to its server", """
        The pump keeps one HL7 link (MLLP) to its pump server and may be silent for hours. The link must survive that
        silence. Profile: the shipped infusion-pump.""")
    report = by_rule("pump-1", "infusion-pump/report")
    scene.add(PUMP, "the pump asks who has its server's address", PUMP.arp_request(PUMP_SERVER.ip),
              forward("arp_guard", "pump-1"))
    scene.add(PUMP_SERVER, "the server answers", PUMP_SERVER.arp_reply(PUMP), forward("arp_guard", "pump-1"))
    link = Tcp(scene, PUMP, PUMP_SERVER, 49152, 2575, report)
    link.open("the pump opens its HL7 link")
    link.say("infusion status", HL7)
    link.answer("acknowledged", HL7_ACK)
    scene.wait(30 * 3600)
    link.say("status again, 30 hours later, on the same link", HL7)
    link.answer("acknowledged", HL7_ACK)
    link.close()
    return scene


def ct_store():
    scene = Scene("ct-store", "A CT stores images to the archive", """
        The CT opens a DICOM association and sends images; it asks for its archive's name and for the time. Profile:
        the shipped ct-scanner.""")
    query = DNS(rd=1, id=7, qd=DNSQR(qname="archive.hospital.example"))
    dns, time = by_rule("ct-2", "ct-scanner/dns"), by_rule("ct-2", "ct-scanner/time")
    scene.add(CT, "the CT asks for its archive's address", CT.to(SERVICES) / UDP(sport=51000, dport=53) / query, dns)
    scene.add(SERVICES, "answer", SERVICES.to(CT) / UDP(sport=53, dport=51000) / DNS(id=7, qr=1, qd=query.qd), dns)
    scene.add(CT, "the CT asks for the time", CT.to(SERVICES) / UDP(sport=123, dport=123) / NTP_REQUEST, time)
    scene.add(SERVICES, "answer", SERVICES.to(CT) / UDP(sport=123, dport=123) / NTP_ANSWER, time)
    store = Tcp(scene, CT, ARCHIVE, 49200, 11112, by_rule("ct-2", "ct-scanner/store-images"))
    store.open("the CT opens a DICOM association")
    store.say("A-ASSOCIATE-RQ", ASSOCIATE_RQ)
    store.answer("A-ASSOCIATE-AC", ASSOCIATE_AC)
    store.say("an image", P_DATA)
    scene.wait(600)
    store.say("the next image, after ten idle minutes", P_DATA)
    store.answer("stored", P_DATA)
    store.close()
    return scene


def storage_commitment():
    scene = Scene("storage-commitment", "The archive confirms storage on an association of its own", """
        Storage commitment goes the other way: the archive opens a connection toward the CT. The rule allows that for
        the archive's address and port 3010; from anybody else, and to any other port, it is refused. Profile: the
        shipped ct-scanner.""")
    commit = Tcp(scene, ARCHIVE, CT, 40123, 3010, by_rule("ct-2", "ct-scanner/storage-commitment"))
    commit.open("the archive opens an association toward the CT")
    commit.say("A-ASSOCIATE-RQ", ASSOCIATE_RQ)
    commit.answer("A-ASSOCIATE-AC", ASSOCIATE_AC)
    commit.say("N-EVENT-REPORT: committed", P_DATA)
    commit.close()
    for source, what in ((INFECTED, "another host tries the same port"), (PUMP_SERVER, "so does the pump server")):
        scene.add(source, what, source.to(CT) / TCP(sport=40123, dport=3010, flags="S"), drop("no_rule", "ct-2"))
    scene.add(ARCHIVE, "the archive tries the CT's remote desktop",
              ARCHIVE.to(CT) / TCP(sport=40124, dport=3389, flags="S"), drop("no_rule", "ct-2"))
    return scene


def port_scan():
    scene = Scene("port-scan", "An infected host scans a pump", """
        Nothing may open a connection to a pump, from whatever host, and no trick of a port scanner gets an answer.
        Zero frames may reach the pump.""")
    def scan(what, flags, port, reason, source=INFECTED):
        scene.add(source, what, source.to(PUMP) / TCP(sport=44000, dport=port, flags=flags, seq=1),
                  drop(reason, "pump-1"))
    for port in (21, 22, 23, 80, 443, 445, 2575, 8443):
        scan(f"SYN scan, port {port}", "S", port, "no_rule")
    scan("ACK scan", "A", 80, "tcp_no_flow")
    scan("reset out of nowhere", "R", 80, "tcp_no_flow")
    scan("FIN scan", "F", 80, "tcp_flags")
    scan("NULL scan", "", 80, "tcp_flags")
    scan("Xmas scan", "FPU", 80, "tcp_flags")
    scan("SYN+FIN", "SF", 80, "tcp_flags")
    scan("even the pump's own server may not open telnet", "S", 23, "no_rule", PUMP_SERVER)
    scene.add(INFECTED, "UDP probe of SNMP", INFECTED.to(PUMP) / UDP(sport=44000, dport=161) / b"0",
              drop("no_rule", "pump-1"))
    scene.add(INFECTED, "ping", INFECTED.to(PUMP) / ICMP(type=8, id=3, seq=1) / b"abcdefgh", drop("no_rule", "pump-1"))
    return scene


def outward_refused():
    scene = Scene("outward-refused", "A compromised pump tries to get out", """
        The pump's allowlist is its server, time, names and its address lease. SMB, telnet, the Internet and its own
        server's other ports are refused, and each refusal names the pump.""")
    for what, target, port in (("SMB to the infected host", INFECTED, 445), ("telnet to its server", PUMP_SERVER, 23),
                               ("SMB to its server", PUMP_SERVER, 445),
                               ("HL7, but to somebody else", ARCHIVE, 2575)):
        for attempt in ("", ", again"):
            scene.add(PUMP, what + attempt, PUMP.to(target) / TCP(sport=50001, dport=port, flags="S"),
                      drop("no_rule", "pump-1"))
    internet = Host(SERVICES.mac, "198.51.100.119", NETWORK)
    scene.add(PUMP, "an address on the Internet", PUMP.to(internet) / TCP(sport=50002, dport=515, flags="S"),
              drop("no_rule", "pump-1"))
    scene.add(PUMP, "HL7 over UDP", PUMP.to(PUMP_SERVER) / UDP(sport=50003, dport=2575) / b"x",
              drop("no_rule", "pump-1"))
    scene.add(PUMP_SERVER, "an answer to what never passed", PUMP_SERVER.to(PUMP) / TCP(
        sport=23, dport=50001, flags="SA", seq=9, ack=1), drop("tcp_no_flow", "pump-1"))
    return scene


def spoofed_source():
    scene = Scene("spoofed-source", "Somebody uses an address that is not his", """
        A frame with the pump's MAC must carry the pump's address, in IP and in ARP alike; and nobody on the network
        side may pretend to be the pump.""")
    other = Host(PUMP.mac, "10.20.1.99", DEVICE)
    scene.add(PUMP, "the pump's MAC with a foreign address", other.to(PUMP_SERVER) / TCP(
        sport=50000, dport=2575, flags="S"), drop("source_not_bound", "pump-1"))
    scene.add(PUMP, "the pump's MAC claims the server's address (ARP)",
              PUMP.arp_reply(ARCHIVE, sender=PUMP_SERVER.ip), drop("arp_sender_not_bound", "pump-1"))
    scene.add(PUMP, "ARP whose sender is another station than the frame's",
              PUMP.ethernet(ARCHIVE.mac) / Host(CT.mac, PUMP.ip, DEVICE).arp_reply(ARCHIVE).payload,
              drop("arp_sender_mac", "pump-1"))
    imposter = Host(PUMP.mac, PUMP.ip, NETWORK)
    scene.add(INFECTED, "the pump's MAC as source on the network side",
              imposter.to(CT) / TCP(sport=50000, dport=104, flags="S"), drop("device_mac_on_network_side", "ct-2"))
    scene.add(INFECTED, "a frame to the pump's MAC, but another address",
              Host(INFECTED.mac, INFECTED.ip, NETWORK).to(other) / TCP(sport=1, dport=80, flags="S"),
              drop("destination_not_bound", "pump-1"))
    scene.add(PUMP, "the pump itself still reports", PUMP.to(PUMP_SERVER) / TCP(sport=50010, dport=2575, flags="S"),
              by_rule("pump-1", "infusion-pump/report"))
    return scene


def unknown_device():
    scene = Scene("unknown-device", "A device nobody knows is plugged in", """
        The gateway's answer to unknown devices is deny: nothing of it passes, not even ARP, and nothing reaches it.""")
    scene.add(VISITOR, "it asks for the archive's address", VISITOR.arp_request(ARCHIVE.ip), drop("unknown_device"))
    scene.add(VISITOR, "it asks for a lease", VISITOR.broadcast(source="0.0.0.0") / UDP(sport=68, dport=67) / BOOTP(
        op=1, xid=9) / DHCP(options=[("message-type", "discover"), "end"]), drop("unknown_device"))
    scene.add(VISITOR, "it opens DICOM to the archive", VISITOR.to(ARCHIVE) / TCP(sport=40000, dport=11112, flags="S"),
              drop("unknown_device"))
    scene.add(ARCHIVE, "something is sent to it", ARCHIVE.to(VISITOR) / TCP(sport=11112, dport=40000, flags="SA"),
              drop("unknown_device"))
    return scene


def unknown_device_profile():
    scene = Scene("unknown-device-profile", "A device nobody knows gets a restricted profile", """
        The gateway answers unknown devices with the shipped profile 'unknown': lease, names and time, nothing
        else.""")
    scene.add(VISITOR, "it asks for the time", VISITOR.to(SERVICES) / UDP(sport=123, dport=123) / NTP_REQUEST,
              by_rule("", "unknown/time"))
    scene.add(SERVICES, "answer", SERVICES.to(VISITOR) / UDP(sport=123, dport=123) / NTP_ANSWER,
              by_rule("", "unknown/time"))
    scene.add(VISITOR, "it opens DICOM to the archive", VISITOR.to(ARCHIVE) / TCP(sport=40000, dport=11112, flags="S"),
              drop("no_rule"))
    return scene


def modes():
    scene = Scene("modes", "The same telnet attempt in every mode", """
        Four CTs, one profile, four modes. Each stores an image and tries telnet. observe forwards both; audit
        forwards both and marks the telnet; enforce drops it; quarantine lets only the keep-alive rule pass, here
        storing images, and drops even the time.""")
    for number, (mode, device) in enumerate((("observe", "ct-observe"), ("audit", "ct-audit"),
                                             ("enforce", "ct-enforce"), ("quarantine", "ct-quarantine"))):
        ct = Host(f"02:00:00:00:02:{40 + number}", f"10.20.2.{40 + number}", DEVICE)
        scene.add(ct, f"{mode}: stores an image", ct.to(ARCHIVE) / TCP(sport=40000, dport=104, flags="S"),
                  by_rule(device, "ct/store"))
        scene.add(ct, f"{mode}: asks for the time", ct.to(SERVICES) / UDP(sport=123, dport=123) / NTP_REQUEST,
                  drop("no_rule", device) if mode == "quarantine" else by_rule(device, "ct/time"))
        telnet = {"observe": forward("observe_mode", device), "audit": audit("no_rule", device)}.get(
            mode, drop("no_rule", device))
        scene.add(ct, f"{mode}: tries telnet", ct.to(INFECTED) / TCP(sport=40001, dport=23, flags="S"), telnet)
        spoofed = {"observe": forward("observe_mode", device), "audit": audit("source_not_bound", device)}.get(
            mode, drop("source_not_bound", device))
        scene.add(ct, f"{mode}: uses a foreign address", ct.to(ARCHIVE, source="10.20.2.99") / TCP(
            sport=40002, dport=104, flags="S"), spoofed)
    return scene


def vlan_ct():
    scene = Scene("vlan-ct", "A CT in a VLAN, and one in a VLAN within a VLAN", """
        The VLAN belongs to the identity. The same MAC in another VLAN, or without a tag, is somebody unknown.""")
    ct = Host(CT.mac, "10.30.0.21", DEVICE, (30,))
    archive = Host(ARCHIVE.mac, ARCHIVE.ip, NETWORK, (30,))
    store = Tcp(scene, ct, archive, 49200, 104, by_rule("ct-2", "ct/store"))
    store.open("the CT of VLAN 30 opens a DICOM association")
    inner = Host("02:00:00:00:02:32", "10.30.0.22", DEVICE, (100, 30))
    inner_archive = Host(ARCHIVE.mac, ARCHIVE.ip, NETWORK, (100, 30))
    Tcp(scene, inner, inner_archive, 49200, 104, by_rule("ct-3", "ct/store")).open("so does the CT of 100.30")
    for vlans, what in (((31,), "the CT's MAC in VLAN 31"), ((), "the CT's MAC without a tag"),
                        ((100, 30), "the CT's MAC in 100.30")):
        stray = Host(ct.mac, ct.ip, DEVICE, vlans)
        scene.add(stray, what, stray.to(archive) / TCP(sport=49201, dport=104, flags="S"), drop("unknown_device"))
    return scene


def ipv6_ct():
    scene = Scene("ipv6-ct", "A CT that speaks IPv6", """
        Neighbour discovery passes for bound addresses only, as ARP does in IPv4; the rules are the same for both
        families.""")
    ct = Host(CT.mac, "fd00:20:2::31", DEVICE)
    archive = Host(ARCHIVE.mac, "fd00:20::10", NETWORK)
    guard = forward("nd_guard", "ct-2")
    scene.add(ct, "the CT looks for the archive", ct.neighbour_solicitation(archive.ip), guard)
    scene.add(archive, "the archive answers", archive.neighbour_advertisement(ct), guard)
    store = Tcp(scene, ct, archive, 49200, 104, by_rule("ct-2", "ct/store"))
    store.open("a DICOM association over IPv6")
    store.say("A-ASSOCIATE-RQ", ASSOCIATE_RQ)
    scene.add(archive, "the archive looks for the CT, by multicast", archive.neighbour_solicitation(ct.ip),
              forward("nd_guard"))
    scene.add(ct, "the CT answers", ct.neighbour_advertisement(archive), guard)
    scene.add(ct, "the CT claims the archive's address", ct.neighbour_advertisement(archive, target=archive.ip),
              drop("nd_not_bound", "ct-2"))
    scene.add(archive, "a solicitation that came through a router", archive.neighbour_solicitation(ct.ip, 64),
              drop("nd_invalid"))
    scene.add(archive, "the archive pings the CT; no rule allows it", archive.to(ct) / ICMPv6EchoRequest(id=1, seq=1),
              drop("no_rule", "ct-2"))
    scene.add(ct, "an echo reply to nothing", ct.to(archive) / ICMPv6EchoReply(id=1, seq=1), drop("icmp_no_flow", "ct-2"))
    return scene


def dhcp_lease():
    scene = Scene("dhcp-lease", "A pump gets its address leased", """
        Two rules of the shipped infusion-pump profile carry the lease: the request, which is broadcast, and the
        server's reply. An offer of a host that is no DHCP server of the hospital reaches nobody.""")
    request, reply = by_rule("pump-1", "infusion-pump/dhcp-request"), "infusion-pump/dhcp-reply"
    def message(kind, **fields):
        return BOOTP(xid=5, chaddr=bytes.fromhex("020000000121"), **fields) / DHCP(
            options=[("message-type", kind), "end"])
    ask = UDP(sport=68, dport=67)
    scene.add(PUMP, "DISCOVER, broadcast", PUMP.broadcast(source="0.0.0.0") / ask / message("discover", op=1), request)
    scene.add(SERVICES, "OFFER, broadcast", SERVICES.broadcast() / UDP(sport=67, dport=68) / message("offer", op=2),
              forward("rule", "", reply))
    scene.add(PUMP, "REQUEST, broadcast", PUMP.broadcast(source="0.0.0.0") / ask / message("request", op=1), request)
    scene.add(SERVICES, "ACK, to the pump", SERVICES.to(PUMP) / UDP(sport=67, dport=68) / message("ack", op=2),
              by_rule("pump-1", reply))
    scene.wait(3600)
    scene.add(PUMP, "renewal, to the server itself", PUMP.to(SERVICES) / ask / message("request", op=1), request)
    scene.add(SERVICES, "ACK", SERVICES.to(PUMP) / UDP(sport=67, dport=68) / message("ack", op=2), request)
    scene.add(INFECTED, "OFFER of a rogue server, broadcast",
              INFECTED.broadcast() / UDP(sport=67, dport=68) / message("offer", op=2), drop("group_no_rule"))
    scene.add(INFECTED, "OFFER of a rogue server, to the pump",
              INFECTED.to(PUMP) / UDP(sport=67, dport=68) / message("offer", op=2), drop("no_rule", "pump-1"))
    return scene


def icmp():
    scene = Scene("icmp", "Ping, and the errors that belong to something", """
        Biomedical engineering may ping the CT; the reply passes on the request's flow. An ICMP error passes only if
        the packet it quotes belongs to a live flow. Profile: the shipped ct-scanner.""")
    ping = by_rule("ct-2", "ct-scanner/ping")
    scene.add(BIOMED, "biomed pings the CT", BIOMED.to(CT) / ICMP(type=8, id=77, seq=1) / b"ping", ping)
    scene.add(CT, "the CT answers", CT.to(BIOMED) / ICMP(type=0, id=77, seq=1) / b"ping", ping)
    scene.add(CT, "a reply to another request than was seen", CT.to(BIOMED) / ICMP(type=0, id=78, seq=1) / b"ping",
              drop("icmp_no_flow", "ct-2"))
    scene.add(CT, "the CT pings; no rule allows it", CT.to(BIOMED) / ICMP(type=8, id=9, seq=1), drop("no_rule", "ct-2"))
    scene.add(INFECTED, "the infected host pings", INFECTED.to(CT) / ICMP(type=8, id=9, seq=1), drop("no_rule", "ct-2"))
    dns = by_rule("ct-2", "ct-scanner/dns")
    query = CT.to(SERVICES) / UDP(sport=51000, dport=53) / DNS(rd=1, id=7, qd=DNSQR(qname="a.example"))
    scene.add(CT, "the CT asks for a name", query, dns)
    def unreachable(source_port):
        return SERVICES.to(CT) / ICMP(type=3, code=3) / IPerror(src=CT.ip, dst=SERVICES.ip) / UDPerror(
            sport=source_port, dport=53, len=8)
    scene.add(SERVICES, "port unreachable, about that question", unreachable(51000),
              forward("icmp_error_of_flow", "ct-2", "ct-scanner/dns"))
    scene.add(SERVICES, "port unreachable, about nothing", unreachable(51999), drop("icmp_no_flow", "ct-2"))
    return scene


def in_pieces(packet, size, identification, order=None):
    """The IPv4 packet in fragments of `size` bytes, in any order."""
    packet[IP].id = identification
    pieces = fragment(packet, fragsize=size)
    return [pieces[i] for i in order or range(len(pieces))]


def fragments():
    scene = Scene("fragments", "A message too long for one frame", """
        The first fragment carries the ports and is judged like any frame; the others share its verdict, whichever
        order they come in. Nothing of a message passes before its first fragment was judged: fragments that come
        early are held until then. Fragments that contradict each other condemn the whole message.""")
    trail = by_rule("ct-2", "ct-scanner/audit-trail")
    def message(length, port=514):
        return CT.to(SYSLOG) / UDP(sport=514, dport=port) / Raw(b"<85>1 audit " + b"x" * length)
    for name, frame in zip(("first", "second", "last"), in_pieces(message(4000), 1480, 4711)):
        scene.add(CT, f"{name} fragment of an audit message", frame, trail)
    for name, frame in zip(("last", "second", "first"), in_pieces(message(4000), 1480, 4712, (2, 1, 0))):
        scene.add(CT, f"the next message, the wrong way round: {name} fragment", frame, trail)
    first, second = in_pieces(message(2000, port=69), 1480, 4713)
    scene.add(CT, "a message that no rule allows: first fragment", first, drop("no_rule", "ct-2"))
    scene.add(CT, "its second fragment", second, drop("fragment_refused", "ct-2"))
    first, second, last = in_pieces(message(4000), 1480, 4714)
    forged = second.copy()
    forged[IP].frag -= 1
    scene.add(CT, "a message with forged bytes: first fragment", first, trail)
    scene.add(CT, "its second fragment", second, trail)
    scene.add(CT, "a fragment that overlaps both", forged, drop("fragment_overlap", "ct-2"))
    scene.add(CT, "its last fragment: the message stays incomplete", last, drop("fragment_overlap", "ct-2"))
    lonely = INFECTED.to(CT)
    lonely[IP].frag, lonely[IP].proto = 100, 6
    scene.add(INFECTED, "a lonely later fragment toward the CT: held, then dropped", lonely / Raw(b"y" * 64),
              drop("fragment_timeout", "ct-2"))
    tiny = CT.to(SYSLOG)
    tiny[IP].flags, tiny[IP].proto, tiny[IP].id = "MF", 6, 4715
    scene.add(CT, "a fragment that splits a TCP header", tiny / Raw(b"\xc0\x00\x00\x68" + bytes(4)),
              drop("tcp_truncated", "ct-2"))
    return scene


def mid_stream():
    scene = Scene("mid-stream", "The gateway starts while a connection is running", """
        After its start a gateway takes running connections over, for a while (here five minutes) and only where a
        rule allows them: a pump must not lose its link because the gateway was restarted.""")
    def data(source, target, source_port, port, what, expected):
        scene.add(source, what, source.to(target) / TCP(sport=source_port, dport=port, flags="PA", seq=900, ack=800)
                  / b"data", expected)
    report = by_rule("pump-1", "infusion-pump/report")
    data(PUMP, PUMP_SERVER, 49152, 2575, "HL7 on a link that stood before", report)
    data(PUMP_SERVER, PUMP, 2575, 49152, "and its acknowledgement", report)
    data(PUMP, INFECTED, 49153, 445, "SMB that stood before: no rule allows it", drop("tcp_no_flow", "pump-1"))
    scene.wait(400)
    data(PUMP, PUMP_SERVER, 49152, 2575, "the link goes on after the grace", report)
    data(PUMP, PUMP_SERVER, 49199, 2575, "another link out of nowhere: too late", drop("tcp_no_flow", "pump-1"))
    return scene


def patient_monitor():
    scene = Scene("patient-monitor", "A patient monitor and its central station", """
        The monitor announces itself by broadcast, the central station associates and polls. What the network
        broadcasts reaches the monitors only as far as one of them has a rule for it. Profile: the shipped
        patient-monitor.""")
    scene.add(MONITOR, "the monitor announces itself", MONITOR.broadcast() / UDP(sport=24105, dport=24005) / b"CI",
              by_rule("monitor-1", "patient-monitor/connect-indication"))
    export = by_rule("monitor-1", "patient-monitor/data-export")
    scene.add(CENTRAL, "the central station associates", CENTRAL.to(MONITOR) / UDP(sport=40000, dport=24105) / b"AR", export)
    scene.add(MONITOR, "vital signs", MONITOR.to(CENTRAL) / UDP(sport=24105, dport=40000) / b"HR 72", export)
    scene.add(CENTRAL, "the time, broadcast in the monitors' network",
              CENTRAL.broadcast(to="10.40.0.255") / UDP(sport=2000, dport=2000) / (b"t" * 64),
              forward("rule", "", "patient-monitor/time-broadcast"))
    scene.add(CENTRAL, "SSDP, multicast: no monitor wants it",
              CENTRAL.broadcast(to="239.255.255.250", mac="01:00:5e:7f:ff:fa") / UDP(sport=1900, dport=1900) / b"M-SEARCH",
              drop("group_no_rule"))
    scene.add(INFECTED, "somebody else polls the monitor", INFECTED.to(MONITOR) / UDP(sport=40000, dport=24105) / b"AR",
              drop("no_rule", "monitor-1"))
    return scene


def control_frames():
    scene = Scene("control-frames", "What switches and devices tell each other", """
        A device authenticates itself to its switch (802.1X) before anybody knows it; LLDP and spanning tree pass in
        both directions. Everything else that is neither ARP nor IP is refused unless the pair names it.""")
    port_access, lldp_group, tree_group = "01:80:c2:00:00:03", "01:80:c2:00:00:0e", "01:80:c2:00:00:00"
    def control(host, to, ethertype, payload, what, expected):
        scene.add(host, what, Ether(src=host.mac, dst=to, type=ethertype) / Raw(payload.ljust(46, b"\0")), expected)
    eapol, lldp, tree = b"\x01\x01\x00\x00", b"\x02\x07\x04\x02\x00\x00\xbb\x00\x01", b"\x42\x42\x03\x00\x00\x00\x00\x00"
    control(VISITOR, port_access, 0x888E, eapol, "a device that nobody knows starts 802.1X", forward("l2_eapol"))
    control(SWITCH, VISITOR.mac, 0x888E, eapol, "the switch asks who it is", forward("l2_eapol"))
    control(SWITCH, lldp_group, 0x88CC, lldp, "LLDP of the switch", forward("l2_lldp"))
    control(PUMP, lldp_group, 0x88CC, lldp, "LLDP of the pump", forward("l2_lldp", "pump-1"))
    control(SWITCH, tree_group, 38, tree, "spanning tree", forward("l2_stp"))
    control(SWITCH, "01:80:c2:00:00:02", 0x8809, b"\x01\x01", "link aggregation: this pair does not name it", drop("l2_lacp"))
    control(PUMP, "ff:ff:ff:ff:ff:ff", 0x8035, bytes(28), "reverse ARP", drop("l2_rarp", "pump-1"))
    control(PUMP, PUMP_SERVER.mac, 0x8137, b"ipx", "IPX", drop("ethertype_not_allowed", "pump-1"))
    control(INFECTED, PUMP.mac, 0x88CC, lldp, "an LLDP ethertype, but straight to the pump",
            drop("ethertype_not_allowed", "pump-1"))
    control(SWITCH, PUMP.mac, 3, b"\xe0\xe0\x03", "an LLC frame of another protocol", drop("l2_llc", "pump-1"))
    return scene


def arp_spoofing():
    scene = Scene("arp-spoofing", "An infected pump, and an infected host, lie in ARP", """
        Nobody speaks for an address that is not its own: not in replies, not in announcements, not in probes, from
        neither side. Questions reach the device side only for addresses that devices have.""")
    broadcast = "ff:ff:ff:ff:ff:ff"
    def announce(host, ip):
        return host.ethernet(broadcast) / ARP(op=1, hwsrc=host.mac, psrc=ip, pdst=ip)
    scene.add(PUMP, "the pump announces its own address", announce(PUMP, PUMP.ip), forward("arp_guard", "pump-1"))
    scene.add(PUMP, "it announces the address of another pump", announce(PUMP, PUMP_2.ip),
              drop("arp_sender_not_bound", "pump-1"))
    scene.add(PUMP, "it claims the server's address", PUMP.arp_reply(PUMP_SERVER, sender=ARCHIVE.ip),
              drop("arp_sender_not_bound", "pump-1"))
    scene.add(PUMP, "it probes for the address of another pump, to make it give up",
              PUMP.arp_request(PUMP_2.ip, sender="0.0.0.0"), drop("arp_probe_not_bound", "pump-1"))
    forged = PUMP.ethernet(PUMP_SERVER.mac) / ARP(op=2, hwsrc=INFECTED.mac, psrc=PUMP.ip, hwdst=PUMP_SERVER.mac,
                                                  pdst=PUMP_SERVER.ip)
    scene.add(PUMP, "its own address, at another MAC", forged, drop("arp_sender_mac", "pump-1"))
    scene.add(INFECTED, "an infected host claims the pump's address toward another pump",
              INFECTED.arp_reply(PUMP_2, sender=PUMP.ip), drop("arp_sender_not_bound", "pump-2"))
    scene.add(INFECTED, "it announces the pump's address", announce(INFECTED, PUMP.ip), drop("arp_sender_not_bound"))
    scene.add(INFECTED, "it looks for an address that no device has", INFECTED.arp_request("10.20.1.99"),
              drop("arp_target_not_bound"))
    scene.add(PUMP_SERVER, "the server looks for the pump", PUMP_SERVER.arp_request(PUMP.ip), forward("arp_guard"))
    return scene


def ipv6_spoofing():
    scene = Scene("ipv6-spoofing", "A CT that pretends to be a router, and a host that pretends to be the CT", """
        Router advertisements come from routers that a rule names, and never from the device side. Advertised
        addresses belong to who advertises them, with its own MAC address. Redirects pass nowhere.""")
    ct = Host(CT.mac, "fd00:20:2::31", DEVICE)
    archive = Host(ARCHIVE.mac, "fd00::10", NETWORK)
    infected = Host(INFECTED.mac, "fe80::66", NETWORK)
    def router(host, hop_limit=255):
        return Ether(src=host.mac, dst="33:33:00:00:00:01") / IPv6(src="fe80::1", dst="ff02::1",
                                                                   hlim=hop_limit) / ICMPv6ND_RA()
    scene.add(ct, "the CT says that it is a router", router(ct), drop("nd_router_on_device_side", "ct-2"))
    scene.add(infected, "an infected host says that it is a router", router(infected), drop("group_no_rule"))
    scene.add(ct, "the CT advertises its own address", ct.neighbour_advertisement(archive), forward("nd_guard", "ct-2"))
    scene.add(ct, "the CT advertises the archive's address", ct.neighbour_advertisement(archive, target=archive.ip),
              drop("nd_not_bound", "ct-2"))
    elsewhere = Ether(src=ct.mac, dst=archive.mac) / IPv6(src=ct.ip, dst=archive.ip, hlim=255) / ICMPv6ND_NA(
        tgt=ct.ip, R=0, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=INFECTED.mac)
    scene.add(ct, "its own address, at another MAC", elsewhere, drop("nd_link_layer", "ct-2"))
    scene.add(infected, "the infected host advertises the CT's address", infected.neighbour_advertisement(ct, target=ct.ip),
              drop("nd_not_bound", "ct-2"))
    redirect = Ether(src=infected.mac, dst=ct.mac) / IPv6(src=infected.ip, dst=ct.ip, hlim=255) / ICMPv6ND_Redirect(
        tgt=infected.ip, dst=archive.ip)
    scene.add(infected, "it redirects the CT to itself", redirect, drop("nd_redirect", "ct-2"))
    return scene


def rogue_dhcp():
    scene = Scene("rogue-dhcp", "Rogue DHCP servers, and an address that is somebody's", """
        Pump 1 has no address in the inventory: it gets one by DHCP. Servers on the device side, servers that no rule
        names, and answers with broken options reach nobody. After the lease was seen, the address is the pump's: it
        may use no other, and nobody else may use it. Profile: the shipped infusion-pump.""")
    request, reply = by_rule("pump-1", "infusion-pump/dhcp-request"), by_rule("pump-1", "infusion-pump/dhcp-reply")
    report = "infusion-pump/report"
    def message(kind, *options, client=PUMP, **fields):
        chaddr = bytes.fromhex(client.mac.replace(":", ""))
        return BOOTP(xid=5, chaddr=chaddr, **fields) / DHCP(options=[("message-type", kind), *options, "end"])
    ask, answer = UDP(sport=68, dport=67), UDP(sport=67, dport=68)
    lease = dict(op=2, yiaddr=PUMP.ip)
    hour = ("lease_time", 3600)
    scene.add(PUMP, "DISCOVER, broadcast", PUMP.broadcast(source="0.0.0.0") / ask / message("discover", op=1), request)
    scene.add(PUMP_2, "an infected pump offers an address", PUMP_2.broadcast() / answer / message("offer", hour, **lease),
              drop("dhcp_server_on_device_side", "pump-2"))
    scene.add(INFECTED, "a host that is no DHCP server offers one", INFECTED.to(PUMP) / answer / message("offer", hour, **lease),
              drop("no_rule", "pump-1"))
    scene.add(SERVICES, "an offer with a router option of six bytes",
              SERVICES.to(PUMP) / answer / message("offer", (3, b"\x0a\x14\x00\x01\x0a\x14"), hour, **lease),
              drop("dhcp_option", "pump-1"))
    scene.add(SERVICES, "an offer of another pump's address", SERVICES.to(PUMP) / answer / message(
        "offer", hour, op=2, yiaddr=PUMP_2.ip), drop("dhcp_address_taken", "pump-1"))
    scene.add(SERVICES, "OFFER", SERVICES.to(PUMP) / answer / message("offer", hour, **lease), reply)
    scene.add(PUMP, "REQUEST, broadcast", PUMP.broadcast(source="0.0.0.0") / ask / message("request", op=1), request)
    scene.add(SERVICES, "ACK", SERVICES.to(PUMP) / answer / message("ack", hour, **lease), reply)
    scene.add(PUMP, "the pump reports from the leased address",
              PUMP.to(PUMP_SERVER) / TCP(sport=49152, dport=2575, flags="S"), by_rule("pump-1", report))
    scene.add(PUMP, "it takes another address", PUMP.to(PUMP_SERVER, source="10.20.1.77") / TCP(
        sport=49152, dport=2575, flags="S"), drop("source_not_bound", "pump-1"))
    scene.add(INFECTED, "a host claims the leased address in ARP", INFECTED.arp_reply(PUMP_2, sender=PUMP.ip),
              drop("arp_sender_not_bound", "pump-2"))
    scene.add(PUMP_2, "the infected pump asks in the name of the other", PUMP_2.broadcast(source="0.0.0.0") / ask / message(
        "request", op=1, client=PUMP), drop("dhcp_client_mac", "pump-2"))
    return scene


def monitor_discovery():
    scene = Scene("monitor-discovery", "Monitors find each other, and only each other", """
        Bedside monitors announce themselves by broadcast on UDP port 7000. Announcements pass from and to those that a
        rule lists; anybody else's, and any other broadcast, stop at the gateway, though all share one flat network.
        Profiles: the shipped patient-monitor and infusion-pump.""")
    def announcement(host, to="255.255.255.255"):
        return host.broadcast(to=to) / UDP(sport=7000, dport=7000) / b"RWHAT"
    heard = forward("rule", "", "patient-monitor/discovery-of-others")
    scene.add(MONITOR, "the monitor announces itself", announcement(MONITOR), by_rule("monitor-1", "patient-monitor/discovery"))
    scene.add(OTHER_MONITOR, "a listed monitor announces itself", announcement(OTHER_MONITOR), heard)
    scene.add(OTHER_MONITOR, "and to the broadcast address of its network", announcement(OTHER_MONITOR, "10.40.0.255"), heard)
    scene.add(INFECTED, "an unlisted host announces itself", announcement(INFECTED), drop("group_no_rule"))
    scene.add(PUMP, "a pump announces itself as a monitor", announcement(PUMP), drop("no_rule", "pump-1"))
    scene.add(OTHER_MONITOR, "another broadcast of the listed monitor",
              OTHER_MONITOR.broadcast() / UDP(sport=137, dport=137) / b"NBNS", drop("group_no_rule"))
    hidden = OTHER_MONITOR.ethernet("ff:ff:ff:ff:ff:ff") / IP(src=OTHER_MONITOR.ip, dst="10.20.1.21") / UDP(
        sport=7000, dport=7000) / b"RWHAT"
    scene.add(OTHER_MONITOR, "a broadcast frame with the pump's own address inside", hidden, drop("destination_not_bound"))
    return scene


SCENES = (pump_hl7, ct_store, storage_commitment, port_scan, outward_refused, spoofed_source, unknown_device,
          unknown_device_profile, modes, vlan_ct, ipv6_ct, dhcp_lease, icmp, fragments, mid_stream, patient_monitor,
          control_frames, arp_spoofing, ipv6_spoofing, rogue_dhcp, monitor_discovery)


def check(directory):
    """Folders whose committed files are not what would be written."""
    different = []
    for path in sorted(directory.rglob("*")):
        committed = HERE / path.relative_to(directory)
        if path.is_file() and not (committed.exists() and filecmp.cmp(path, committed, shallow=False)):
            different.append(committed)
    return different


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        print(__doc__)
        return 2
    if not sys.argv[1:]:
        for make in SCENES:
            scene = make()
            scene.write(HERE / scene.name)
        return 0
    with tempfile.TemporaryDirectory() as directory:
        for make in SCENES:
            scene = make()
            scene.write(pathlib.Path(directory) / scene.name)
        different = check(pathlib.Path(directory))
    for path in different:
        print(f"{path.relative_to(HERE)}: not what make_captures.py writes; run it and commit")
    return 1 if different else 0


sys.exit(main())
