# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: the lab of scripts/lab, and a hospital that is ready."""
import json
import os
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lab"))
from hospital import GATEWAY, LAB_CONFIG, Hospital, Lab, LabError, Witness, address, run, wait_until  # noqa: E402,F401

BIN = pathlib.Path(os.environ.get("CORDON_BIN", ROOT / "build/release/bin"))


class HospitalTest(unittest.TestCase):
    """Each test class gets a hospital of its own, with Cordon inline and the lab's policy enforced."""
    services = True  # whether the hospital's own software runs

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        try:
            cls.hospital = Hospital(cls.lab, BIN)
            cls.hospital.build()
            if cls.services:
                cls.hospital.start_services()
            cls.hospital.start_controller()
            cls.hospital.start_gateway()
            cls.hospital.ctl("apply", "-f", ROOT / "configs/profiles", "-f", LAB_CONFIG / "policy")
            # The gateway dials again by itself once the controller knows its name.
            wait_until("the gateway's session", lambda: cls.hospital.metrics()["cordon_controller_connected"] == 1)
            cls.hospital.ctl("import", "devices", LAB_CONFIG / "inventory.csv", "--mapping",
                             LAB_CONFIG / "inventory-mapping.yaml")
        except BaseException:
            cls.lab.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.lab.close()

    def apply(self, name, text, *options, check=True):
        """Applies documents given as text; returns the finished cordonctl."""
        file = self.lab.directory / name
        file.write_text(text)
        return self.hospital.ctl("apply", "-f", file, *options, check=check)

    def gateway_generation(self):
        """What the gateway itself says; /metrics may be 100 ms behind."""
        status = json.loads(self.hospital.box_ctl("status", "--output", "json").stdout)
        return int(status.get("enforcedGeneration", status.get("enforced_generation", 0)))
