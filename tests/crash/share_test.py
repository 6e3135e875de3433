"""The share is full, or hangs, at each write of the journal."""
import os
import pathlib
import signal
import subprocess
import threading
import time
import unittest

import scene
from machine import wait_until
from scene import HOPS, Mishap, Scene, slow

scene.machine.need_engine()


def mounted(test, m, *command):
    """Mounts over the machine's storage; the command gets the place."""
    subprocess.run([*command, str(m.storage)], check=True)
    test.addCleanup(subprocess.run, ["umount", "-l", str(m.storage)], check=False)


@slow
class Share(unittest.TestCase):
    def test_full_at_each_journal_write(self):
        s = Scene(self, start=False)
        mounted(self, s.m, "mount", "-t", "tmpfs", "-o", "size=64m", "difyd-test")
        s.m.serve().await_phase("serving")
        s.seed()
        ballast = s.m.storage / "ballast"

        def fill(s):
            scene.machine.fill(ballast)
            s.later(8, ballast.unlink)

        for step in scene.STEPS:
            version = s.next_version() if s.deployed() != HOPS[-1] else self.skipTest("no more versions")
            end = s.upgrade(version, Mishap(step, fill))
            wait_until("room again", lambda: not ballast.exists(), 20)
            if end == "held":
                self.assertEqual(s.upgrade(version), "done")

    def test_hung_at_each_journal_write(self):
        s = Scene(self, start=False)
        behind = s.m.folder / "behind"
        behind.mkdir()
        program = subprocess.Popen(["bindfs", "-f", str(behind), str(s.m.storage)])

        def end():
            program.send_signal(signal.SIGCONT)
            s.m.close()  # what runs holds the mount
            subprocess.run(["umount", "-l", str(s.m.storage)], check=False)
            program.kill()
            program.wait()
        self.addCleanup(end)
        wait_until("the mount", lambda: os.path.ismount(s.m.storage), 10)
        s.ledger_file = behind / ".difyd/ledger.json"
        s.m.serve().await_phase("serving")
        s.seed()
        s.upload = behind / s.upload.relative_to(s.m.storage)

        def hang(s):
            program.send_signal(signal.SIGSTOP)
            s.later(25, lambda: program.send_signal(signal.SIGCONT))

        results = {}
        for step in scene.STEPS:
            if s.deployed() == HOPS[-1]:
                break
            version = s.next_version()
            results[step] = s.upgrade(version, Mishap(step, hang))
            if results[step] == "held":
                self.assertEqual(s.upgrade(version), "done")
        print(results, flush=True)


if __name__ == "__main__":
    unittest.main()
