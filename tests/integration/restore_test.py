"""The way back: a held upgrade is left by a backup, nothing of what was there is lost, and a kill changes nothing."""
import json
import os
import re
import shutil
import signal
import subprocess
import unittest

import machine
from machine import Machine, get, slow, wait_until

machine.need_engine()


SETTINGS = ("upgrade: {drain_grace: 0s, start_timeout: 60s, worker_stop_limit: 5s, backup: pg_dump, "
            "backup_image: 'postgres:15-alpine'}\n")


class Restore(unittest.TestCase):
    def setUp(self):
        self.m = m = Machine("1.12.1", settings=SETTINGS)
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
        stage = lambda: (json.loads(ledger.read_text())["restoring"] or {"stage": "over"})["stage"]
        self.assertEqual(m.difyd("rollback", "--restore", self.backup, "--yes", "--no-wait")[0], 0)
        wait_until("the restore", lambda: stage() != "over", 60)
        left = ["loading", "swapping", "finishing", "over"]
        while len(left) > 1:
            wait_until(left[0], lambda: stage() in left, 60)
            m.stop_daemon(signal.SIGKILL)
            killed_in = stage()  # a stage of milliseconds may have passed unseen
            print(f"  killed in {killed_in}", flush=True)
            left = left[left.index(killed_in) + 1:]
            m.serve()
        m.await_phase("serving")
        self.assertEqual(stage(), "over")
        self.restored()

    @slow
    def test_undisturbed_it_says_what_stays_and_the_next_upgrade_goes_on(self):
        m = self.m
        m.sql("create extension vector", "template1")
        code, out, err = m.difyd("rollback", "--restore", self.backup, "--yes")
        self.assertEqual(code, 0, out + err + m.tail())
        self.assertEqual(len(re.findall("DROP DATABASE", out)), 3, out)
        self.restored()
        self.assertEqual(m.difyd("upgrade", "1.13.0", "--acknowledge", "celery-queues-1.13")[0], 0)


@slow
class Elsewhere(unittest.TestCase):
    def test_a_bundled_database(self):
        m = Machine("1.12.1", standalone=True, settings=SETTINGS)
        self.addCleanup(m.close)
        m.serve().await_phase("serving")
        m.set_up()
        sql = lambda text: m.docker("exec", f"{m.project}-db_postgres-1", "psql", "-U", "postgres", "-d", "dify", "-Atc", text).strip()
        sql("create table seeded (row text); insert into seeded values ('before')")
        code, out, err = m.difyd("upgrade", "1.12.3")
        self.assertEqual(code, 6, out + err + m.tail())
        sql("insert into seeded values ('after')")
        backup, = [each["id"] for each in m.json("backup", "list")]
        self.assertEqual(m.difyd("rollback", "--restore", backup, "--yes", "--no-wait")[0], 0)
        wait_until("the swap", lambda: (json.loads((m.storage / ".difyd/ledger.json").read_text())["restoring"] or {}).get("stage") == "swapping", 60)
        m.stop_daemon(signal.SIGKILL)
        m.serve()
        status = m.await_phase("serving")
        self.assertEqual((status["deployed"], status["revision"]), ("1.12.1", "788d3099ae3a"))
        self.assertTrue(m.is_set_up())
        self.assertEqual(sql("select row from seeded"), "before")
        aside = sql("select datname from pg_database where datname ~ '_restore_' order by 1").split()
        self.assertEqual([each.rsplit("_", 1)[0] for each in aside], ["dify_before_restore", "dify_plugin_before_restore"])

    def test_a_version_older_than_the_former_one(self):
        m = Machine("1.11.3", settings=SETTINGS)
        self.addCleanup(m.close)
        bundles = m.folder / "bundles"
        for version in ("1.11.3", "1.11.4", "1.12.1"):
            shutil.copytree(f"{machine.BUNDLES}/dify-{version}", bundles / f"dify-{version}")
        m.config.write_text(m.config.read_text().replace(machine.BUNDLES, str(bundles)))
        m.serve().await_phase("serving")
        m.set_up()
        self.assertEqual(m.difyd("backup")[0], 0)
        backup, = [each["id"] for each in m.json("backup", "list")]
        for version in ("1.11.4", "1.12.1"):
            self.assertEqual(m.difyd("upgrade", version)[0], 0)
        m.sql("create extension vector", "template1")
        # The share keeps it no longer, nor does this machine: it comes from where releases come from.
        self.assertFalse((m.storage / ".difyd/releases/1.11.3").exists())
        shutil.rmtree(m.folder / "var/releases/dify-1.11.3", ignore_errors=True)
        (bundles / "dify-1.11.3").rename(bundles / "away")
        code, out, err = m.difyd("rollback", "--restore", backup, "--yes")
        self.assertEqual((code, "1.11.3" in err, m.status()["phase"]), (2, True, "serving"), out + err)
        subprocess.run(["tar", "-C", bundles, "--transform", "s,^away,dify-1.11.3,", "-czf", bundles / "1.11.3.tar.gz", "away"], check=True)
        code, out, err = m.difyd("rollback", "--restore", backup, "--yes")
        self.assertEqual(code, 0, out + err + m.tail())
        status = m.status()
        self.assertEqual((status["phase"], status["deployed"]), ("serving", "1.11.3"))
        self.assertTrue(m.is_set_up())
        self.assertTrue(all(each["private_key_fits"] for each in m.data_state()["tenants"]), m.data_state())
        self.assertEqual(m.difyd("upgrade", "1.11.4")[0], 0)

    def test_a_full_disk(self):
        m = Machine("1.12.1", settings=SETTINGS)
        self.addCleanup(m.close)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "difyd-test", str(m.storage)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(m.storage)], check=False)
        m.serve().await_phase("serving")
        m.set_up()
        m.sql("create extension vector", "template1")
        self.assertEqual(m.difyd("upgrade", "1.12.3")[0], 6)
        backup, = [each["id"] for each in m.json("backup", "list")]
        ballast = m.storage / "ballast"
        machine.fill(ballast)
        code, out, err = m.difyd("rollback", "--restore", backup, "--yes")
        self.assertEqual((code, "No space left" in err, m.status()["phase"]), (4, True, "holding"), out + err)
        ballast.unlink()
        stage = lambda: (json.loads((m.storage / ".difyd/ledger.json").read_text())["restoring"] or {}).get("stage")
        self.assertEqual(m.difyd("rollback", "--restore", backup, "--yes", "--no-wait")[0], 0)
        for wanted in ("loading", "swapping", "finishing"):
            wait_until(wanted, lambda: stage() == wanted, 60)
            machine.fill(ballast)
            said = wait_until("a word of it", lambda: "No space left" in m.status()["message"] and m.status(), 60)
            self.assertTrue(said["message"].startswith("the restore "), said["message"])
            ballast.unlink()
            # Before the swap it holds, after it waits for room.
            if said["phase"] == "holding":
                self.assertEqual(m.difyd("up", "--no-wait")[0], 0)
        m.await_phase("serving")
        self.assertIsNone(stage())
        self.assertTrue(m.is_set_up())
        self.assertTrue(all(each["private_key_fits"] for each in m.data_state()["tenants"]), m.data_state())


@slow
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
        ledger["in_flight"] = common | {"origin": "operator", "entries": [entry], "baseline": None, "owed": []}
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
