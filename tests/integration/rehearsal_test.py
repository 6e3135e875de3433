"""A rehearsal: the new image's migration on a copy of the database; nothing else is touched, and nothing stays."""
import pathlib
import re
import signal
import subprocess
import unittest

import machine
from machine import Machine, get, slow, wait_until

machine.need_engine()

SETTINGS = "upgrade: {drain_grace: 0s, start_timeout: 60s, backup: pg_dump, backup_image: 'postgres:15-alpine'}\n"
LOCK = r"table messages: AccessExclusiveLock for about [1-9]"


class Rehearsals(unittest.TestCase):
    def machine(self, settings=SETTINGS, seconds=15):
        """`seconds`: for how long 1.12.7 migrates, in a transaction that has locked a table before."""
        self.m = Machine("1.11.4", settings=settings)
        self.addCleanup(self.m.close)
        self.m.override("SIMULATOR_MIGRATION_SECONDS", f'"{seconds}"')

    def serve(self):
        self.m.serve().await_phase("serving")
        self.m.set_up()

    def state(self):
        """What a rehearsal must leave alone."""
        storage = sorted(str(each) for each in (self.m.storage / "app").rglob("*"))
        return (self.m.containers(), storage, self.m.sql("select version_num from alembic_version"),
                self.databases(), self.m.status()["deployed"], self.m.status()["phase"])

    def databases(self, server=None):
        return self.m.sql("select datname from pg_database order by 1", "postgres", server).split()

    def migrating(self, server=None):
        return self.m.sql("select pid from pg_stat_activity where application_name ~ 'difyd-rehearsal' "
                          "and datname ~ 'dify_rehearsal_' and query ~ 'pg_sleep'", "postgres", server)

    def refused(self, *causes):
        code, out, err = self.m.difyd("rehearse", "1.12.7")
        self.assertEqual(code, 1, out + err)
        for each in causes:
            self.assertIn(each, err)


class OwnServer(Rehearsals):
    def test_it_says_what_an_upgrade_would_come_to(self):
        self.machine(seconds=3)
        self.serve()
        code, _, err = self.m.difyd("rehearse", "1.12.1")
        self.assertEqual(code, 2, err)
        self.assertIn("there is no backup to make a copy from", err)
        self.assertEqual(self.m.difyd("backup")[0], 0)
        before = self.state()

        code, out, err = self.m.difyd("rehearse", "1.12.7")
        self.assertEqual(code, 0, out + err + self.m.tail())
        self.assertIn("Running upgrade 905527cc8fd3 -> 5e1201000001", out)
        self.assertRegex(out, r"migration 788d3099ae3a: .*, Workflows, head of 1.12.0 and 1.12.1.")
        self.assertRegex(out, LOCK)
        self.assertRegex(out, r"the migration to 1.12.7 took .* on a copy of backup .*: 905527cc8fd3 -> 5e1207000001")
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

    @slow
    def test_it_is_ended_and_leaves_nothing(self):
        self.machine()
        self.serve()
        self.assertEqual(self.m.difyd("backup")[0], 0)
        before = self.state()
        self.assertEqual(self.m.difyd("rehearse", "1.12.7", "--no-wait")[0], 0)
        wait_until("the migration", self.migrating)
        code, _, err = self.m.difyd("upgrade", "1.12.1")
        self.assertEqual(code, 4, err)
        self.assertIn("a rehearsal runs", err)
        self.assertEqual(get(self.m.http, "/console/api/ping")[0], 200)
        code, out, err = self.m.difyd("abort")
        self.assertEqual(code, 0, out + err)
        wait_until("everything is as before", lambda: self.state() == before)

        self.assertEqual(self.m.difyd("rehearse", "1.12.7", "--no-wait")[0], 0)
        wait_until("the migration", self.migrating)
        self.m.stop_daemon(signal.SIGKILL)
        self.m.serve().await_phase("serving")
        wait_until("everything is as before", lambda: self.state() == before)


class NamedServer(Rehearsals):
    def setUp(self):
        self.machine(seconds=5)
        m, self.other = self.m, self.m.start_postgres("other")
        # Nothing there is called as on the stack's server but the database.
        password = m.folder / "rehearser.password"
        password.write_text("rehearsed")
        m.sql("create role rehearser login createdb password 'rehearsed'", "postgres", self.other)
        self.where = "{DIFYD_POSTGRES_HOST}:{DIFYD_POSTGRES_PORT}".format(**self.other)
        host, port = self.where.split(":")
        m.config.write_text(m.config.read_text() + f"rehearsal: {{host: {host}, port: {port}, user: rehearser, "
                                                   f"password_file: {password}}}\n")
        # Another locale than any that a new server has of itself, and an extension.
        m.sql("drop database dify", "postgres")
        m.sql("create database dify owner dify template template0 encoding 'UTF8' locale 'C'", "postgres")
        m.sql("create extension pg_trgm")
        self.serve()
        self.assertEqual(m.difyd("backup")[0], 0)

    def on_other(self, statement):
        return self.m.sql(statement, "postgres", self.other)

    def log(self, server):
        return "".join(each.read_text() for each in sorted(pathlib.Path(server["DIFYD_POSTGRES_LOGS"]).glob("*.csv")))

    @slow
    def test_the_copy_is_made_there_and_the_stacks_server_is_left_alone(self):
        m, container = self.m, self.other["DIFYD_POSTGRES_CONTAINER"]
        before, others = self.state(), self.databases(self.other)

        # What a server lacks is told before anything is made there.
        made = lambda: len(re.findall(r'create database "*dify_rehearsal', self.log(self.other)))
        m.docker("stop", "-t", "5", container)
        self.refused(f"at {self.where}", "Connection refused", f"Nobody listens at {self.where}: start PostgreSQL there, or correct rehearsal.port")
        m.docker("start", container)
        wait_until("it answers", lambda: subprocess.run(
            ["docker", "exec", container, "pg_isready", "-h", "127.0.0.1"], capture_output=True).returncode == 0)
        self.on_other("alter role rehearser nocreatedb")
        self.refused(f"server {self.where}: role rehearser may not create databases", 'ALTER ROLE "rehearser" CREATEDB')
        self.on_other("alter role rehearser createdb")
        control = m.docker("exec", container, "find", "/usr", "-name", "pg_trgm.control").strip()
        m.docker("exec", "-u", "root", container, "mv", control, "/tmp")
        self.refused(f"server {self.where}: it does not have the extension pg_trgm", "rehearsal.host")
        m.docker("exec", "-u", "root", container, "mv", "/tmp/pg_trgm.control", control)
        self.assertEqual(made(), 0)

        self.on_other("create database dify_rehearsal_00000000_00000000 owner rehearser")  # another installation's
        with subprocess.Popen([machine.BIN / "difyd", "--config", m.config, "rehearse", "1.12.7"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as rehearsal:
            wait_until("the migration", lambda: self.migrating(self.other))
            self.assertEqual(self.on_other("select datcollate, pg_get_userbyid(datdba) from pg_database "
                                           "where datname ~ 'dify_rehearsal_.*[^0]$'"), "C|rehearser")
            out = rehearsal.communicate(timeout=60)[0]
        self.assertEqual(rehearsal.returncode, 0, out + m.tail())
        self.assertRegex(out, LOCK)
        self.assertIn(f"on the server {self.where} (", out)
        self.assertEqual(made(), 2)
        self.on_other("drop database dify_rehearsal_00000000_00000000")
        self.assertEqual(self.databases(self.other), others)

        # Killed, it leaves nothing there either.
        self.assertEqual(m.difyd("rehearse", "1.12.7", "--no-wait")[0], 0)
        wait_until("the migration", lambda: self.migrating(self.other))
        m.stop_daemon(signal.SIGKILL)
        m.serve().await_phase("serving")
        wait_until("everything is as before", lambda: self.databases(self.other) == others and self.state() == before)
        self.assertIn("difyd-rehearsal-", self.log(self.other))
        self.assertNotIn("rehears", self.log(m.postgres))


if __name__ == "__main__":
    unittest.main()
