"""A rehearsal: the new image's migration on a copy of the database; nothing else is touched, and nothing stays."""
import signal
import unittest

import machine
from machine import Machine, get, wait_until

machine.need_engine()


class Rehearsal(unittest.TestCase):
    def setUp(self):
        self.m = Machine("1.11.4", settings="upgrade: {drain_grace: 0s, start_timeout: 60s, backup: pg_dump, "
                                            "backup_image: 'postgres:15-alpine'}\n")
        self.addCleanup(self.m.close)
        self.m.serve().await_phase("serving")
        self.m.set_up()

    def state(self):
        """What a rehearsal must leave alone."""
        storage = sorted(str(each) for each in (self.m.storage / "app").rglob("*"))
        return (self.m.containers(), storage, self.m.sql("select version_num from alembic_version"),
                self.databases(), self.m.status()["deployed"], self.m.status()["phase"])

    def databases(self):
        return self.m.sql("select datname from pg_database order by 1", "postgres").split()

    def test_it_says_what_an_upgrade_would_come_to(self):
        code, _, err = self.m.difyd("rehearse", "1.12.1")
        self.assertEqual(code, 2, err)
        self.assertIn("there is no backup to make a copy from", err)
        self.assertEqual(self.m.difyd("backup")[0], 0)
        before = self.state()

        code, out, err = self.m.difyd("rehearse", "1.12.1")
        self.assertEqual(code, 0, out + err + self.m.tail())
        self.assertIn("Running upgrade 905527cc8fd3 -> 5e1201000001", out)
        self.assertRegex(out, r"migration 788d3099ae3a: .*, Workflows, head of 1.12.0 and 1.12.1.")
        self.assertRegex(out, r"the migration to 1.12.1 took .* on a copy of backup .*: 905527cc8fd3 -> 788d3099ae3a")
        self.assertEqual(self.state(), before)

        # One that an upgrade would hold with.
        code, out, err = self.m.difyd("rehearse", "1.12.3")
        self.assertEqual(code, 1, out + err)
        self.assertRegex(err, r"the migration to 1.12.3 FAILED after .* \(exit code 1\): .*NotNullViolation")
        self.assertEqual(self.state(), before)

        code, out, err = self.m.difyd("rehearse", "1.11.3")
        self.assertEqual(code, 2, out + err)
        code, out, err = self.m.difyd("rehearse", "1.12.1", "--backup", "none-such")
        self.assertEqual(code, 2, out + err)
        self.assertEqual(self.m.difyd("upgrade", "1.12.1")[0], 0)

    def test_it_is_ended_and_leaves_nothing(self):
        self.assertEqual(self.m.difyd("backup")[0], 0)
        before = self.state()
        migrating = lambda: self.m.sql("select pid from pg_stat_activity where application_name ~ 'difyd-rehearsal' "
                                       "and datname ~ 'dify_rehearsal_' and query ~ 'pg_sleep'", "postgres")
        self.assertEqual(self.m.difyd("rehearse", "1.12.7", "--no-wait")[0], 0)
        wait_until("the migration", migrating)
        code, _, err = self.m.difyd("upgrade", "1.12.1")
        self.assertEqual(code, 4, err)
        self.assertIn("a rehearsal runs", err)
        self.assertEqual(get(self.m.http, "/console/api/ping")[0], 200)
        code, out, err = self.m.difyd("abort")
        self.assertEqual(code, 0, out + err)
        wait_until("everything is as before", lambda: self.state() == before)

        self.assertEqual(self.m.difyd("rehearse", "1.12.7", "--no-wait")[0], 0)
        wait_until("the migration", migrating)
        self.m.stop_daemon(signal.SIGKILL)
        self.m.serve().await_phase("serving")
        wait_until("everything is as before", lambda: self.state() == before)


if __name__ == "__main__":
    unittest.main()
