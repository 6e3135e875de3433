"""difyd is killed with SIGKILL in the middle of upgrades, started again, and left alone.

By default at every journal write of one upgrade that is seen, and at a few random instants; DIFYD_TEST_ALL=1: 200 of them
(DIFYD_CRASH_KILLS says how many). DIFYD_CRASH_SEED repeats a run."""
import os
import random
import time
import unittest

import scene
from machine import wait_until
from scene import HOPS, SEED, Mishap, Scene

scene.machine.need_engine()

KILLS = int(os.environ.get("DIFYD_CRASH_KILLS", 200 if scene.ALL else 4))


class Crash(unittest.TestCase):
    def setUp(self):
        self.s = Scene(self)

    def begin(self, version):
        code, out, err = self.s.m.difyd("upgrade", "--no-wait", version)
        self.assertEqual(code, 0, out + err)

    def test_killed_at_every_journal_write(self):
        before, known = self.s.deployed(), self.s.ends()
        self.begin("1.12.1")
        killed = []
        end = time.monotonic() + 400
        while self.s.ends() == known:
            self.assertLess(time.monotonic(), end, f"killed at {killed}\n{self.s.m.tail()}")
            last = (self.s.entries() or [None])[-1]
            if last is None or last in killed:
                time.sleep(0.001)
                continue
            killed.append(last)
            self.s.kill_difyd()
        # An entry that the next one follows within milliseconds can be missed.
        self.assertGreaterEqual(len(killed), 5, killed)
        self.assertLessEqual({"drain", "stop", "migrate", "start"}, {step for step, _ in killed})
        self.assertEqual(self.s.check("1.12.1", before), "done")

    def test_what_an_earlier_process_brought_up_is_looked_after(self):
        """Killed in step verify or commit: the new process has started nothing, and yet heals what falls."""
        s = self.s
        self.assertEqual(s.upgrade("1.12.1", Mishap("start", lambda s: s.kill_difyd(), "done")), "done")
        api = f"{s.m.project}-api-1"
        s.m.on_engine("kill", api)
        wait_until("the api runs again", lambda: s.m.containers().get(api) == "running", 60)

    def test_killed_at_random_instants(self):
        print(f"DIFYD_CRASH_SEED={SEED}", flush=True)
        instants, kills = random.Random(SEED), 0
        while kills < KILLS:
            if self.s.deployed() == HOPS[-1]:
                self.s.m.close()
                self.setUp()
            before, known, version = self.s.deployed(), self.s.ends(), self.s.next_version()
            self.begin(version)
            for _ in range(2):
                time.sleep(instants.uniform(0, 12))
                if self.s.ends() != known:
                    break
                self.s.kill_difyd()
                kills += 1
            print(f"{kills} kills", flush=True)
            # Killed before the journal was begun: nothing was changed, and nothing is left of it.
            wait_until("a journal, an end, or nothing", lambda: self.s.entries() or self.s.ends() != known
                       or self.s.m.status()["phase"] == "serving", 120)
            if not self.s.entries() and self.s.ends() == known:
                self.assertEqual((self.s.deployed(), self.s.images(), self.s.overlaps()), (before, {before}, []))
                continue
            self.assertEqual(self.s.see_through(version, before, known), "done")


if __name__ == "__main__":
    unittest.main()
