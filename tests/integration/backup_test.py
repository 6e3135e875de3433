"""Backups in an upgrade: taken when writes have stopped, read back, restorable; one that fails puts back."""
import os
import unittest

import machine
from machine import Machine, get

machine.need_engine()


class Backup(unittest.TestCase):
    def serve(self, version, settings):
        self.m = Machine(version, settings="upgrade: {drain_grace: 0s, start_timeout: 60s, worker_stop_limit: 5s, " + settings + "}\n")
        self.addCleanup(self.m.close)
        self.m.serve().await_phase("serving")
        self.m.set_up()
        return self.m

    def folders(self):
        return sorted((self.m.folder / "storage/.difyd/backups").glob("*"))

    def serves(self, version):
        self.assertEqual((self.m.status()["phase"], self.m.status()["deployed"]), ("serving", version))
        self.assertEqual(get(self.m.http, "/console/api/ping")[0], 200)

    def test_pg_dump_holds_what_was_there(self):
        m = self.serve("1.11.4", "backup: pg_dump, backup_image: 'postgres:15-alpine', keep_backups: 2")
        before = m.sql("select count(*) from tenants")
        code, out, err = m.difyd("upgrade", "1.12.1")
        self.assertEqual(code, 0, out + err + m.tail())
        folder, = self.folders()
        self.assertIn(str(folder), out)
        self.assertEqual({each.name for each in folder.iterdir()},
                         {"dify.dump", "dify_plugin.dump", "dify_vector.dump", "keys.tar", "env", "backup.json"})
        for each in [folder, *folder.iterdir()]:
            self.assertEqual(each.stat().st_mode & 0o077, 0, each)
        self.assertIn("SECRET_KEY=", (folder / "env").read_text())
        # Restored beside the live one it is the database of before the migration.
        container = m.postgres["DIFYD_POSTGRES_CONTAINER"]
        m.docker("cp", str(folder / "dify.dump"), f"{container}:/tmp/dify.dump")
        m.sql("create database again owner dify", "postgres")
        m.docker("exec", container, "pg_restore", "-U", "postgres", "-d", "again", "/tmp/dify.dump")
        self.assertEqual(m.sql("select version_num from alembic_version", "again"), "905527cc8fd3")
        self.assertEqual(m.sql("select count(*) from tenants", "again"), before)
        self.assertEqual([n for n in m.containers() if "-backup-" in n], [])
        password = machine.pathlib.Path(m.postgres["DIFYD_POSTGRES_PASSWORD_FILE"]).read_text().strip()
        self.assertNotIn(password, (m.folder / "difyd.log").read_text())
        self.others_are_listed_verified_and_removed(folder)

    def others_are_listed_verified_and_removed(self, first):
        m = self.m
        listed, = m.json("backup", "list")
        self.assertEqual((listed["id"], listed["version"], listed["revision"], listed["writes_stopped"], listed["problem"]),
                         (first.name, "1.11.4", "905527cc8fd3", True, ""))
        self.assertEqual(m.difyd("backup", "verify")[0], 0)
        nobodys = first.parent / "20200101T000000Z-1.9.2-mine"
        nobodys.mkdir()
        # Of a daemon that was killed while it took one.
        abandoned = first.parent / "20200101T000000Z-1.9.2-0123abcd"
        abandoned.mkdir()
        code, out, err = m.difyd("backup")
        self.assertEqual(code, 0, out + err + m.tail())
        self.assertIn("Dify served meanwhile", out)
        self.assertEqual(m.difyd("backup")[0], 0)
        self.assertFalse(first.exists(), "keep_backups is 2")
        self.assertTrue(nobodys.exists())
        self.assertFalse(abandoned.exists())
        listed = m.json("backup", "list")
        self.assertEqual([(each["version"], each["writes_stopped"]) for each in listed], [("1.12.1", False)] * 2)
        code, out, err = m.difyd("backup", "verify", "2026")
        self.assertEqual((code, "there is no backup 2026" in err), (2, True), err)
        dump = first.parent / listed[0]["id"] / "dify.dump"
        damaged = bytearray(dump.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        dump.write_bytes(damaged)
        code, out, err = m.difyd("backup", "verify", listed[0]["id"])
        self.assertEqual((code, "dify.dump has another content" in err), (1, True), err)
        self.assertEqual(m.difyd("backup", "verify")[0], 0)  # the newest is another one

    def test_a_backup_that_fails_puts_the_old_version_back(self):
        m = self.serve("1.11.4", f"backup: command, backup_command: [/bin/sh, {machine.tempfile.gettempdir()}/difyd-backup-{os.getpid()}]")
        script = machine.pathlib.Path(f"{machine.tempfile.gettempdir()}/difyd-backup-{os.getpid()}")
        self.addCleanup(script.unlink)
        for text, reason in (("echo the tape is away; exit 75", "the tape is away"), ("echo disk full >&2; exit 3", "disk full")):
            script.write_text(text)
            code, out, err = m.difyd("upgrade", "1.12.1")
            self.assertEqual(code, 5, out + err)
            self.assertIn(reason, err)
            self.serves("1.11.4")
        script.write_text("sleep 300")
        m.difyd("upgrade", "--no-wait", "1.12.1")
        passwords = lambda: list((m.folder / "run").glob("*.pgpass"))
        machine.wait_until("the backup command", passwords, 60)
        code, out, err = m.difyd("abort")
        self.assertEqual(code, 0, out + err)
        self.assertEqual(passwords(), [])
        self.serves("1.11.4")
        self.what_dies_meanwhile_is_healed(script)
        script.write_text('psql -Atc "select version_num from alembic_version" && test "$DIFYD_FROM-$DIFYD_TO" = 1.11.4-1.12.1')
        code, out, err = m.difyd("upgrade", "1.12.1")
        self.assertEqual(code, 0, out + err + m.tail())
        self.assertIn("| 905527cc8fd3", out)  # what the command said
        self.assertIn("writes stopped at", out)
        self.assertEqual(passwords(), [])
        self.serves("1.12.1")

    def what_dies_meanwhile_is_healed(self, script):
        """One by hand that hangs is in nobody's way, and is ended."""
        m, folders = self.m, self.folders()
        script.write_text("sleep 300")
        code, out, err = m.difyd("backup", "--no-wait")
        self.assertEqual(code, 0, out + err)
        machine.wait_until("the backup command", lambda: list((m.folder / "run").glob("*.pgpass")), 60)
        worker = f"{m.project}-worker-1"
        m.docker("kill", worker)
        machine.wait_until("the worker runs again", lambda: m.containers().get(worker) == "running", 60)
        for words in (["backup"], ["upgrade", "1.12.1"], ["rehearse", "1.12.1"]):
            code, _, err = m.difyd(*words)
            self.assertEqual((code, "a backup" in err, "difyd abort" in err), (4, True, True), err)
        code, out, err = m.difyd("abort")
        self.assertEqual(code, 0, out + err)
        self.assertIn("the backup was ended; nothing of it is left", out + err)
        self.assertEqual((self.folders(), list((m.folder / "run").glob("*.pgpass"))), (folders, []))
        self.serves("1.11.4")


if __name__ == "__main__":
    unittest.main()
