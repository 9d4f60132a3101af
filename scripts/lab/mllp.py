#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""HL7 v2 over MLLP for the lab: an infusion pump that reports and a server that acknowledges.

    mllp.py server PORT                  accepts connections, answers every message with an ACK
    mllp.py pump HOST PORT [--interval S] [--timeout S]
                                         keeps one connection open and reports; reconnects when no ACK
                                         comes in time

Both print one JSON object a line: {"event": "connected" | "ack" | "timeout" | "refused" | ..., "id": n}.
Framing: 0x0b message 0x1c 0x0d (HL7 MLLP release 1). The message is an ORU^R01 as IHE PCD-01 uses it.
"""
import argparse
import json
import socket
import socketserver
import sys
import time

START, END = b"\x0b", b"\x1c\x0d"
MAX_MESSAGE = 64 * 1024


def say(event, **fields):
    print(json.dumps({"time": round(time.time(), 3), "event": event, **fields}), flush=True)


def read_message(connection, pending):
    """The next framed message, and what was read behind it; None at the end of the stream."""
    while END not in pending:
        if len(pending) > MAX_MESSAGE:
            raise ValueError("message without an end block")
        data = connection.recv(4096)
        if not data:
            return None, b""
        pending += data
    frame, _, rest = pending.partition(END)
    return frame.lstrip(START).decode("utf-8", "replace"), rest


def field(message, segment, number):
    for line in message.split("\r"):
        fields = line.split("|")
        if fields[0] == segment and len(fields) > number:
            return fields[number]
    return ""


def observation(identifier):
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime())
    return "\r".join([
        f"MSH|^~\\&|PUMP|ICU|PUMPSERVER|HOSPITAL|{stamp}||ORU^R01^ORU_R01|{identifier}|P|2.6",
        "PID|||LAB-0000^^^LAB||DOE^LAB",
        f"OBR|1|||69986^MDC_DEV_PUMP_INFUS_MDS^MDC|||{stamp}",
        "OBX|1|NM|157784^MDC_FLOW_FLUID_PUMP^MDC|1.1.1.1|25|265266^MDC_DIM_MILLI_L_PER_HR^MDC||||R",
    ]) + "\r"


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        say("connected", peer=self.client_address[0])
        pending = b""
        while True:
            try:
                message, pending = read_message(self.request, pending)
            except (OSError, ValueError):
                break
            if message is None:
                break
            identifier = field(message, "MSH", 9)
            say("message", id=identifier, type=field(message, "MSH", 8))
            ack = f"MSH|^~\\&|PUMPSERVER|HOSPITAL|PUMP|ICU|||ACK^R01^ACK|{identifier}|P|2.6\rMSA|AA|{identifier}\r"
            try:
                self.request.sendall(START + ack.encode() + END)
            except OSError:
                break
        say("closed", peer=self.client_address[0])


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def serve(port):
    with Server(("0.0.0.0", port), Handler) as server:
        say("listening", port=port)
        server.serve_forever()


def pump(host, port, interval, timeout):
    number, connection, pending = 0, None, b""
    while True:
        number += 1
        try:
            if connection is None:
                connection, pending = socket.create_connection((host, port), timeout=timeout), b""
                say("connected", port=connection.getsockname()[1])
            connection.sendall(START + observation(number).encode() + END)
            message, pending = read_message(connection, pending)
            if message is None:
                raise ConnectionError("closed by the server")
            say("ack", id=number, code=field(message, "MSA", 1), port=connection.getsockname()[1])
            time.sleep(interval)
        except (socket.timeout, OSError, ValueError) as error:
            say("timeout" if isinstance(error, socket.timeout) else "failed", id=number, why=str(error))
            if connection is not None:
                connection.close()
            connection = None
            time.sleep(min(interval, 0.2))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    server = commands.add_parser("server")
    server.add_argument("port", type=int)
    client = commands.add_parser("pump")
    client.add_argument("host")
    client.add_argument("port", type=int)
    client.add_argument("--interval", type=float, default=0.2)
    client.add_argument("--timeout", type=float, default=1.5)
    arguments = parser.parse_args()
    try:
        if arguments.command == "server":
            serve(arguments.port)
        else:
            pump(arguments.host, arguments.port, arguments.interval, arguments.timeout)
    except KeyboardInterrupt:
        sys.exit(0)


main()
