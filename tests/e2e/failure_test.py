#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What dies must change no verdict: the controller, the gateway, the stored policy."""
import signal
import unittest

from support import HospitalTest, Witness, address, wait_until


class FailureTest(HospitalTest):
    def allowed_works(self):
        ok, text = self.hospital.dicom_store()
        self.assertTrue(ok, text)

    def forbidden_is_silent(self):
        witness = Witness(self.hospital.host["pump"], "eth0", f"silence{self.id()[-12:]}",
                          f"ip and src host {address('infected')}")
        self.assertFalse(self.hospital.tcp_opens("infected", address("pump"), 80, seconds=1))
        seen = witness.frames()
        self.assertEqual(seen, [])

    def restart_gateway(self):
        self.hospital.gateway_socket.unlink(missing_ok=True)
        self.hospital.start_gateway()

    def test_1_controller_killed_changes_no_verdict(self):
        generation = self.gateway_generation()
        self.hospital.controller.stop(signal.SIGKILL)
        wait_until("the gateway to miss its controller",
                   lambda: self.hospital.metrics()["cordon_controller_connected"] == 0)
        self.allowed_works()
        self.forbidden_is_silent()
        self.assertEqual(self.gateway_generation(), generation)
        self.assertIn(str(generation), self.hospital.box_ctl("status").stdout)

    def test_2_nothing_passes_while_the_gateway_is_dead(self):
        # R110
        self.hospital.gateway.stop(signal.SIGKILL)
        self.assertFalse(self.hospital.tcp_opens("ct", address("archive"), 11112, seconds=1))

    def test_3_restart_without_controller_enforces_the_last_generation(self):
        self.restart_gateway()
        self.assertIn("the last good one", self.hospital.box_ctl("status").stdout)
        self.allowed_works()
        self.forbidden_is_silent()

    def test_4_corrupt_policy_file_means_the_previous_one(self):
        # R116
        self.hospital.gateway.stop(signal.SIGKILL)
        newest = self.hospital.lab.directory / "gateway-state" / "policy.last"
        damaged = bytearray(newest.read_bytes())
        damaged[len(damaged) // 2] ^= 0xff
        newest.write_bytes(bytes(damaged))
        self.restart_gateway()
        status = self.hospital.box_ctl("status").stdout
        self.assertIn("the one before the last", status)
        self.assertIn("corrupt", status)
        self.forbidden_is_silent()

    def test_5_no_readable_policy_denies_everything_loudly(self):
        # R110, R116
        self.hospital.gateway.stop(signal.SIGKILL)
        for file in (self.hospital.lab.directory / "gateway-state").glob("policy*"):
            file.write_bytes(b"garbage")
        self.restart_gateway()
        self.assertFalse(self.hospital.tcp_opens("ct", address("archive"), 11112, seconds=1))
        self.assertEqual(self.gateway_generation(), 0)
        self.assertGreater(sum(v for k, v in self.hospital.metrics().items()
                               if k.startswith("cordon_dropped_frames_total") and "no_policy" in k), 0)

    def test_6_controller_back_restores_everything(self):
        self.hospital.controller_socket.unlink(missing_ok=True)
        self.hospital.controller = self.hospital.management.start(
            "controller-again", self.hospital.binaries / "cordon-controller", "--config",
            self.hospital.controller_config)
        wait_until("the gateway to enforce again", lambda: self.gateway_generation() > 0, 30)
        self.allowed_works()


if __name__ == "__main__":
    unittest.main(verbosity=2)
