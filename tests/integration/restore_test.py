"""The way back: a held upgrade is left by a backup, nothing of what was there is lost, and a kill changes nothing."""
import json
import os
import re
import signal
import unittest

import machine
from machine import Machine, get, wait_until

machine.need_engine()


class Restore(unittest.TestCase):
    def setUp(self):
        self.m = m = Machine("1.12.1", settings="upgrade: {drain_grace: 0s, start_timeout: 60s, worker_stop_limit: 5s, "
                                                "backup: pg_dump, backup_image: 'postgres:15-alpine'}\n")
        self.addCleanup(m.close)
        m.serve().await_phase("serving")
        m.set_up()
        m.sql("create table seeded (row text); alter table seeded owner to dify; insert into seeded values ('before')")
        self.key = next((m.folder / "storage/app/storage/privkeys").rglob("private.pem"))
        self.private = self.key.read_bytes()
        code, out, err = m.difyd("upgrade", "1.12.3")
        self.assertEqual(code, 6, out + err + m.tail())
        self.backup, = [each["id"] for each in m.json("backup", "list")]
        self.offer = f"difyd rollback --restore {self.backup}"
        self.assertTrue(any(each.startswith(self.offer + ": puts 1.12.1 back") for each in m.status()["options"]))
        m.sql("insert into seeded values ('after')")
        self.files = m.folder / "storage/app/storage/upload_files/seeded.txt"
        self.files.parent.mkdir(exist_ok=True)
        self.files.write_text("a file")
        self.key.write_bytes(b"another")

    def restored(self):
        m = self.m
        status = m.status()
        self.assertEqual((status["phase"], status["deployed"], status["revision"]), ("serving", "1.12.1", "788d3099ae3a"))
        self.assertEqual(get(m.http, "/console/api/ping")[0], 200)
        self.assertTrue(m.is_set_up())
        self.assertEqual(m.sql("select row from seeded"), "before")
        self.assertEqual(self.key.read_bytes(), self.private)
        self.assertEqual(self.files.read_text(), "a file")
        aside = m.sql("select datname from pg_database where datname ~ 'restore' order by 1", "postgres").split()
        self.assertEqual([each.rsplit("_", 1)[0] for each in aside],
                         ["dify_before_restore", "dify_plugin_before_restore", "dify_vector_before_restore"])
        self.assertEqual(m.sql("select row from seeded order by 1", aside[0]).split(), ["after", "before"])
        kept, = (m.folder / "storage/.difyd").glob("before-restore-*")
        self.assertEqual({each.name for each in kept.iterdir()}, {"keys.tar", "env"})
        last = m.json("history")[-2:]
        self.assertEqual([(each["from"], each["to"], each["result"]) for each in last],
                         [("1.12.1", "1.12.3", "undone"), ("1.12.3", "1.12.1", "done")])
        self.assertNotIn("upgrade-held", m.findings())
        self.assertEqual([n for n in m.containers() if "-restore-" in n or "-verify-" in n], [])

    def test_a_hold_is_left_by_its_backup(self):
        m = self.m
        code, _, err = m.difyd("rollback")
        self.assertEqual((code, self.offer in err), (4, True), err)
        # Nobody who could answer; nothing that is not there; nothing that is damaged.
        code, out, err = m.difyd("rollback", "--restore", self.backup)
        self.assertEqual((code, "since" in out, "--yes" in err), (2, True, True), out + err)
        self.assertEqual(m.difyd("rollback", "--restore", "none", "--yes")[0], 2)
        dump = m.folder / "storage/.difyd/backups" / self.backup / "dify.dump"
        good = dump.read_bytes()
        dump.write_bytes(good[:-1])
        code, out, err = m.difyd("rollback", "--restore", self.backup, "--yes")
        self.assertEqual((code, "dify.dump" in err), (4, True), out + err)
        dump.write_bytes(good)
        m.sql("alter role dify nocreatedb")
        code, out, err = m.difyd("rollback", "--restore", self.backup, "--yes")
        self.assertEqual((code, "CREATEDB" in err), (4, True), out + err)
        m.sql("alter role dify createdb")
        # A backup of the half migrated database is no way back.
        self.assertEqual(m.difyd("backup")[0], 0)
        listed = m.json("backup", "list")
        self.assertEqual([bool(each["problem"]) for each in listed], [False, True])
        self.assertEqual(m.difyd("rollback", "--restore", listed[1]["id"], "--yes")[0], 4)
        self.assertEqual(m.status()["phase"], "holding")
        # An extension that the role may not create is found before anything stops.
        code, out, err = m.difyd("rollback", "--restore", self.backup, "--yes")
        self.assertEqual((code, "nothing was changed" in err, "template1" in err), (4, True, True), out + err)
        self.assertEqual(m.sql("select count(*) from pg_database where datname ~ '_restore_'", "postgres"), "0")
        self.assertEqual(m.status()["phase"], "holding")
        m.sql("create extension vector", "template1")

        # Killed in every stage, it is finished by the next start.
        ledger = m.folder / "storage/.difyd/ledger.json"
        stage = lambda: (json.loads(ledger.read_text())["restoring"] or {}).get("stage")
        self.assertEqual(m.difyd("rollback", "--restore", self.backup, "--yes", "--no-wait")[0], 0)
        for wanted in ("loading", "swapping", "finishing"):
            wait_until(wanted, lambda: stage() == wanted, 60)
            m.stop_daemon(signal.SIGKILL)
            self.assertEqual(stage(), wanted)
            m.serve()
        m.await_phase("serving")
        self.assertIsNone(stage())
        self.restored()

    @unittest.skipUnless(os.environ.get("DIFYD_TEST_ALL"), "takes a minute; DIFYD_TEST_ALL=1 runs it")
    def test_undisturbed_it_says_what_stays_and_the_next_upgrade_goes_on(self):
        m = self.m
        m.sql("create extension vector", "template1")
        code, out, err = m.difyd("rollback", "--restore", self.backup, "--yes")
        self.assertEqual(code, 0, out + err + m.tail())
        self.assertEqual(len(re.findall("DROP DATABASE", out)), 3, out)
        self.restored()
        self.assertEqual(m.difyd("upgrade", "1.13.0", "--acknowledge", "celery-queues-1.13")[0], 0)


@unittest.skipUnless(os.environ.get("DIFYD_TEST_ALL"), "takes half a minute; DIFYD_TEST_ALL=1 runs it")
class Rollback(unittest.TestCase):
    def test_a_hold_before_the_point_of_no_return_is_left_without_a_backup(self):
        m = Machine("1.12.1")
        self.addCleanup(m.close)
        m.serve().await_phase("serving")
        m.set_up()
        self.assertEqual(m.difyd("rollback")[0], 4)
        m.stop_daemon(signal.SIGKILL)
        # As it is when putting back failed three times.
        path = m.folder / "storage/.difyd/ledger.json"
        ledger = json.loads(path.read_text())
        now = ledger["deployed"]["committed_at"]
        common = {"id": "0badcafe", "from": "1.12.1", "to": "1.12.2", "started_at": now}
        entry = {"step": "drain", "state": "begin", "at": now, "detail": "", "irreversible": False}
        ledger["in_flight"] = common | {"origin": "operator", "entries": [entry], "baseline": None}
        ledger["history"].append(common | {"ended_at": now, "result": "held", "reason": "a test", "steps": []})
        path.write_text(json.dumps(ledger))
        m.serve().await_phase("holding")
        self.assertTrue(any(each.startswith("difyd rollback: puts 1.12.1 back") for each in m.status()["options"]))
        code, out, err = m.difyd("rollback")
        self.assertEqual(code, 0, out + err + m.tail())
        self.assertEqual((m.status()["phase"], m.json("history")[-1]["result"]), ("serving", "undone"))
        self.assertEqual(get(m.http, "/console/api/ping")[0], 200)


if __name__ == "__main__":
    unittest.main()
