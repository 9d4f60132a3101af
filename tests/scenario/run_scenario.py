#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Replays one scene and compares every verdict with what its page expects.

    run_scenario.py CORDON_REPLAY FOLDER

Exit 0 if all agree; else prints each frame that does not, with its line of the page.
"""
import itertools
import json
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def replay(program, folder):
    command = [program, "--json", "--policy", folder / "policy.yaml", "--gateway", "gateway", "--pair", "ward"]
    for side in ("device", "network"):
        capture = folder / f"{side}.pcap"
        if capture.exists():
            command += [f"--{side}-side", capture]
    arguments = folder / "arguments"
    if arguments.exists():
        command += shlex.split(arguments.read_text())
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=60, check=False)


def main():
    program, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    result = replay(program, folder)
    if result.returncode != 0:
        print(f"cordon-replay ended with exit {result.returncode}:\n{result.stderr}")
        return 1
    expected = (folder / "expected.jsonl").read_text().splitlines()
    page = [line for line in (folder / "README.md").read_text().splitlines() if line[:3].strip("| ").isdigit()]
    different = 0
    for number, (want, got) in enumerate(itertools.zip_longest(expected, result.stdout.splitlines())):
        if want is None or got is None or json.loads(want) != json.loads(got):
            different += 1
            print(f"{page[number] if number < len(page) else ''}\n  expected {want}\n  got      {got}")
    print(f"{folder.name}: {len(expected)} frames, {different} differ")
    return 1 if different or not expected else 0


sys.exit(main())
