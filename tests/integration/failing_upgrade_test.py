"""Upgrades that go wrong: each ends as DESIGN says, with exit code, reason and remedy."""
import unittest

import machine
from machine import Machine, get

machine.need_engine()


class FailingUpgrade(unittest.TestCase):
    def setUp(self):
        self.m = Machine("1.12.1", settings="upgrade: {drain_grace: 0s, start_timeout: 15s, verify_timeout: 10s}\n")
        self.addCleanup(self.m.close)
        self.m.serve().await_phase("serving")

    def test_a_migration_that_fails_unmoved_puts_the_old_version_back(self):
        code, out, err = self.m.difyd("upgrade", "1.12.2")
        self.assertEqual(code, 5, out + err + self.m.tail())
        self.assertIn("the database is unchanged", err)
        self.assertIn("difyd migrations log", err)
        status = self.m.status()
        self.assertEqual((status["phase"], status["deployed"]), ("serving", "1.12.1"))
        self.assertEqual(get(self.m.http, "/console/api/ping")[0], 200)
        self.assertEqual(self.m.sql("select version_num from alembic_version"), "788d3099ae3a")
        self.assertEqual(self.m.json("history")[-1]["result"], "undone")

    def test_a_migration_that_fails_half_way_holds(self):
        code, out, err = self.m.difyd("upgrade", "1.12.3")
        self.assertEqual(code, 6, out + err + self.m.tail())
        self.assertIn("after the database had moved", err)
        status = self.m.status()
        self.assertEqual(status["phase"], "holding")
        self.assertTrue(1 <= len(status["options"]) <= 3)
        self.assertEqual(get(self.m.health, "/healthz")[0], 200)
        self.assertEqual(get(self.m.health, "/readyz")[0], 503)
        # Trying again does not forget that the database moved, and nothing old is started by hand.
        self.assertEqual(self.m.difyd("restart", "api")[0], 4)
        code, out, err = self.m.difyd("upgrade", "1.12.3")
        self.assertEqual(code, 6, out + err + self.m.tail())
        self.assertEqual(self.m.status()["phase"], "holding")
        # A restart of the daemon holds too: nothing is started on a schema that nobody knows.
        self.m.stop_daemon()
        self.m.serve().await_phase("holding")
        running = [n for n, s in self.m.containers().items() if s == "running" and ("api" in n or "worker" in n)]
        self.assertEqual(running, [])

    def test_an_api_that_never_becomes_healthy_goes_back_where_nothing_moved(self):
        code, out, err = self.m.difyd("upgrade", "1.12.4")
        self.assertEqual(code, 5, out + err + self.m.tail())
        status = self.m.status()
        self.assertEqual((status["phase"], status["deployed"]), ("serving", "1.12.1"))
        self.assertEqual(get(self.m.http, "/console/api/ping")[0], 200)


if __name__ == "__main__":
    unittest.main()
