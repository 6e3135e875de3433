"""PostgreSQL goes away, is cut off, ends the lease's session, or is put back to an older state."""
import time
import unittest

import scene
from line import Line
from machine import wait_until
from scene import LONG, Mishap, Scene, slow

scene.machine.need_engine()


def restart(s):
    name = s.m.postgres["DIFYD_POSTGRES_CONTAINER"]
    s.m.docker("stop", name)
    time.sleep(3)
    s.m.docker("start", name)


def end_lease_under_migrator(s):
    s.await_migrator()
    s.end_lease(3)


class Database(unittest.TestCase):
    def test_the_lease_ends_while_the_migrator_runs_and_a_second_machine_waits(self):
        s = Scene(self)
        second = s.second()
        second.serve().await_phase("waiting-for-lease")
        self.assertEqual(s.upgrade(LONG, Mishap("migrate", end_lease_under_migrator)), "done")
        # And while it serves: nothing is stopped for that.
        before, held = s.m.containers(), s.m.status()["lease"]
        s.end_lease(20)
        wait_until("it is noticed", lambda: not s.m.status()["lease"].startswith("held since"), 40)
        wait_until("the lease is taken again", lambda: s.m.status()["lease"].startswith("held since"), 60)
        self.assertNotEqual(s.m.status()["lease"], held)
        self.assertEqual((s.m.status()["phase"], s.m.containers()), ("serving", before))
        self.assertEqual(second.status()["phase"], "waiting-for-lease")
        self.assertEqual(second.containers(), {})

    @slow
    def test_postgresql_restarts_at_every_step(self):
        s = Scene(self)
        results = s.at_every_step(restart)
        # In the migration it takes the migrator with it, and what is unmoved is put back; nothing else is given up.
        self.assertEqual({step for step, end in results.items() if end != "done"} - {"migrate"}, set(), results)

    def partition(self, seconds, spares=lambda s: lambda peer: False):
        """The machine is cut off in the migration; the server gives up on it after 50 s; a second machine waits."""
        def cut(s):
            s.await_migrator()
            line.cut(spares(s))
            s.later(50, line.server_gives_up)
            s.later(seconds, line.heal)

        s = Scene(self, start=False)
        second = s.second()
        line = Line((s.m.postgres["DIFYD_POSTGRES_HOST"], int(s.m.postgres["DIFYD_POSTGRES_PORT"])))
        self.addCleanup(line.close)
        s.m.config.write_text(s.m.config.read_text().replace(f"port: {line.to[1]}", f"port: {line.port}"))
        s.m.serve().await_phase("serving")
        s.seed()
        second.serve().await_phase("waiting-for-lease")
        end = s.upgrade(LONG, Mishap("migrate", cut), seconds=seconds + 200)
        self.assertEqual(second.status()["phase"], "waiting-for-lease")
        return end

    @slow
    def test_the_machine_is_cut_off_for_90_s_in_the_migration(self):
        self.assertIn(self.partition(90), ("done", "undone"))

    @slow
    def test_difyd_alone_is_cut_off_for_90_s_in_the_migration(self):
        # The stack's containers have addresses of their own; difyd comes from this machine's.
        self.assertEqual(self.partition(90, lambda s: lambda peer: peer != s.m.postgres["DIFYD_POSTGRES_HOST"]), "done")

    def keep_state(self, s):
        s.m.sql("create database dify_before owner dify", "postgres")
        s.m.docker("exec", s.m.postgres["DIFYD_POSTGRES_CONTAINER"], "sh", "-c",
                   "pg_dump -U postgres dify | psql -qU postgres -v ON_ERROR_STOP=1 dify_before")

    def put_state_back(self, s):
        s.m.sql("drop database dify with (force)", "postgres")
        s.m.sql("alter database dify_before rename to dify", "postgres")

    @slow
    def test_an_older_state_under_a_newer_ledger(self):
        s = Scene(self)
        s.m.difyd("down")
        self.keep_state(s)
        self.assertEqual(s.m.difyd("up")[0], 0)
        self.assertEqual(s.upgrade("1.12.1"), "done")
        s.m.difyd("down")
        s.m.stop_daemon()
        self.put_state_back(s)
        s.m.serve()
        code, _, err = s.m.difyd("up")
        self.assertEqual(code, 6)
        self.assertIn("the database holds revision 905527cc8fd3, the head of the older 1.11.3, but version 1.12.1 was committed "
                      "with revision 788d3099ae3a", err)
        self.assertEqual(s.images(), set())
        self.assertEqual(s.overlaps(), [])

    @slow
    def test_an_older_state_while_the_new_version_starts(self):
        s = Scene(self)

        def older(s):
            s.m.stop_daemon(scene.signal.SIGKILL)
            s.m.remove_containers()
            self.put_state_back(s)
            s.m.serve()

        # Between stop and backup nobody is at work: that is the state which comes back.
        self.assertEqual(s.upgrade("1.12.1", Mishap("backup", self.keep_state), Mishap("start", older)), "held")
        self.assertEqual(s.upgrade("1.12.1"), "done")


if __name__ == "__main__":
    unittest.main()
