"""More than one machine, or one that is not what it was: two from the start, replaced, frozen, with a wrong clock."""
import pathlib
import signal
import unittest

import scene
from machine import get, wait_until
from scene import LONG, Mishap, Scene, slow

scene.machine.need_engine()


def off_by(hours):
    """Debian's faketime, without its program, which would stay above. Waits go by the monotonic clock, left alone."""
    library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    return "env", f"LD_PRELOAD={library}", f"FAKETIME={hours:+d}h", "FAKETIME_DONT_FAKE_MONOTONIC=1"


@slow
class Machines(unittest.TestCase):
    def serves(self, one):
        return one.status()["phase"] == "serving" and get(one.http, "/console/api/ping")[0] == 200

    def test_two_from_the_start(self):
        s = Scene(self, start=False)
        second = s.second("1.12.1")
        for one in (s.m, second):
            one.serve()
        both = [s.m, second]
        first = wait_until("one serves", lambda: next((one for one in both if self.serves(one)), None), 180)
        other = both[1 - both.index(first)]
        self.assertEqual(other.status()["phase"], "waiting-for-lease")
        self.assertEqual(other.containers(), {})
        # The one that serves dies with all that ran on it; the other one inherits, and upgrades where it is configured to.
        first.stop_daemon(signal.SIGKILL)
        names = list(first.containers())
        first.on_engine("stop", "-t", "5", *names)
        wait_until("the other one has inherited", lambda: self.serves(other), 400)
        # What comes back, by dockerd's doing too, must not meet it for long.
        first.serve().await_phase("waiting-for-lease")
        self.assertEqual(self.running(first), set())
        deployed = s.ledger()["deployed"]
        self.assertEqual(other.status()["deployed"], deployed["version"])
        self.assertEqual(deployed["revision"], s.m.sql("select version_num from alembic_version"))
        self.assertEqual(s.overlaps(), [])

    def running(self, one):
        return {name for name, state in one.containers().items() if state == "running"}

    def test_a_machine_without_lease_stops_what_runs_on_it(self):
        s = Scene(self)
        second = s.second()
        s.m.stop_daemon(signal.SIGKILL)
        s.m.on_engine("stop", "-t", "5", *s.m.containers())
        second.serve()
        wait_until("the second one has inherited", lambda: self.serves(second), 400)
        s.m.on_engine("start", f"{s.m.project}-nginx-1", f"{s.m.project}-web-1", f"{s.m.project}-redis-1")
        s.m.serve().await_phase("waiting-for-lease")
        wait_until("nothing runs", lambda: not self.running(s.m), 60)
        self.assertTrue(self.serves(second))

    def replaced(self, step):
        """The machine dies in the middle with its disk; a new one is configured for the older version."""
        s = Scene(self)
        before, known = s.deployed(), s.ends()

        def replace(s):
            old = s.m
            old.stop_daemon(signal.SIGKILL)
            old.remove_containers()
            s.m = s.make("1.11.3", database_of=old, share_of=old)
            s.m.serve()
        end = s.upgrade("1.12.1", Mishap(step, replace), seconds=500)
        self.assertEqual(before, "1.11.3")
        self.assertNotEqual(s.ends(), known)
        return end

    def test_replaced_in_the_stop(self):
        self.assertEqual(self.replaced("stop"), "done")

    def test_replaced_in_the_migration(self):
        self.assertEqual(self.replaced("migrate"), "done")

    def test_replaced_in_the_start(self):
        self.assertEqual(self.replaced("start"), "done")

    def frozen(self, with_second):
        s = Scene(self)
        if with_second:
            second = s.second()
            second.serve().await_phase("waiting-for-lease")

        def freeze(s):
            s.await_migrator()
            s.freeze()
            s.later(120, lambda: s.freeze(False))
        self.assertEqual(s.upgrade(LONG, Mishap("migrate", freeze), seconds=400), "done")
        if with_second:
            self.assertEqual(second.status()["phase"], "waiting-for-lease")

    def test_frozen_for_120_s_alone(self):
        self.frozen(False)

    def test_frozen_for_120_s_with_a_second_machine(self):
        self.frozen(True)

    def frozen_until_another_has_it(self, step):
        """The lease falls while all of difyd sleeps, and the second machine ends the upgrade. Awake again, the first
        one must neither start anything nor write a word."""
        s = Scene(self)
        second = s.second()
        second.serve().await_phase("waiting-for-lease")
        first, before, known = s.m, s.deployed(), s.ends()

        def freeze(s):
            s.freeze()
            s.end_lease()
            # A machine that hangs is no longer served by its containers either.
            running = self.running(s.m) - {name for name in s.m.containers() if "-migrate-" in name}
            if running:
                s.m.on_engine("stop", "-t", "5", *running)

        code, out, err = first.difyd("upgrade", "--no-wait", "1.12.1")
        self.assertEqual(code, 0, out + err)
        wait_until(step, lambda: s.entries()[-1:] == [(step, "begin")], 60)
        freeze(s)
        s.m = second
        self.assertEqual(s.see_through("1.12.1", before, known, seconds=500), "done")
        book = s.ledger()
        s.m = first
        s.freeze(False)
        self.assertEqual(first.daemon.wait(60), 75)
        self.assertEqual(s.ledger(), book)
        first.serve().await_phase("waiting-for-lease")
        wait_until("nothing runs", lambda: not self.running(first), 60)
        s.m = second
        self.assertEqual(s.check("1.12.1", before), "done")

    def test_frozen_in_the_stop_until_another_has_the_lease(self):
        self.frozen_until_another_has_it("stop")

    def test_frozen_in_the_migration_until_another_has_the_lease(self):
        self.frozen_until_another_has_it("migrate")

    def test_frozen_in_the_start_until_another_has_the_lease(self):
        self.frozen_until_another_has_it("start")

    def test_the_clock_is_off_by_an_hour_and_jumps_back(self):
        s = Scene(self)
        s.kill_difyd(*off_by(1))
        s.m.await_phase("serving")
        self.assertEqual(s.upgrade("1.11.4"), "done")
        back = Mishap("migrate", lambda s: s.kill_difyd(*off_by(-1)))
        self.assertEqual(s.upgrade("1.12.1", back), "done")
        ends = [each["ended_at"] for each in s.ledger()["history"]]
        self.assertLess(ends[-1], ends[-2], "the clock was not off")


if __name__ == "__main__":
    unittest.main()
