"""Upgrades that go well: without a migration, with several, and while a worker ignores SIGTERM."""
import json
import subprocess
import threading
import time
import unittest

import machine
from machine import Machine, get, page, slow, wait_until

machine.need_engine()


class Upgrade(unittest.TestCase):
    def setUp(self):
        self.m = Machine("1.11.3", settings="upgrade: {drain_grace: 0s, start_timeout: 60s, worker_stop_limit: 5s}\n")
        self.addCleanup(self.m.close)
        self.m.serve().await_phase("serving")

    def upgrade(self, version, *acknowledged, code=0):
        words = [word for each in acknowledged for word in ("--acknowledge", each)]
        got, out, err = self.m.difyd("upgrade", *words, version)
        self.assertEqual(got, code, out + err + self.m.tail())
        return out, err

    def test_without_a_migration_and_then_with_several(self):
        plan = self.m.difyd("plan", "1.12.1")[1]
        self.assertIn("905527cc8fd3 -> 788d3099ae3a", plan)
        self.assertIn("langgenius/dify-api:1.12.1", plan)
        self.assertEqual(self.m.status()["deployed"], "1.11.3")

        out, _ = self.upgrade("1.11.4")
        self.assertLess(out.index("step migrate done"), out.index("step start begun"))
        self.assertEqual(self.m.status()["deployed"], "1.11.4")

        seen = self.watch_versions()
        out, _ = self.upgrade("1.12.1")
        overlaps = seen()
        self.assertEqual(overlaps, [])
        self.assertNotIn("guard:", out)
        self.assertEqual(self.m.sql("select version_num from alembic_version"), "788d3099ae3a")
        self.assertEqual([each["result"] for each in self.m.json("history")], ["done", "done", "done"])
        self.assertGreater(self.m.json("history")[-1]["downtime_seconds"], 0)
        last = self.m.json("migrations")[-1]
        self.assertEqual((last["from_revision"], last["to_revision"]), ("905527cc8fd3", "788d3099ae3a"))
        self.assertIn("Running upgrade", self.m.difyd("migrations", "log", last["id"])[1])
        self.assertEqual(get(self.m.http, "/console/api/ping")[0], 200)
        migrators = [name for name in self.m.containers() if "-migrate-" in name]
        self.assertEqual(len(migrators), 1, migrators)
        self.assertIn(last["id"], migrators[0])

    def watch_versions(self):
        """Asks PostgreSQL all the time which Dify versions hold sessions; the result names overlaps.

        The plugin daemon has versions of its own; the application's four kinds of session have Dify's."""
        overlaps, stop = [], threading.Event()
        query = ("select string_agg(distinct split_part(application_name, '-', 2), ',' ) from pg_stat_activity "
                 "where application_name ~ '^dify-.*-(api|worker|beat|flask)$'")

        def watch():
            while not stop.is_set():
                versions = [v for v in self.m.sql(query).split(",") if v]
                if len(set(versions)) > 1:
                    overlaps.append(versions)
                time.sleep(0.05)
        thread = threading.Thread(target=watch)
        thread.start()

        def result():
            stop.set()
            thread.join()
            return overlaps
        return result

    def test_what_a_human_starts_in_the_middle_is_ended_and_reported(self):
        self.m.sql("grant pg_read_all_stats to dify")
        lock = self.hold_the_migration_up()
        code, _, err = self.m.difyd("upgrade", "--no-wait", "1.12.1")
        self.assertEqual(code, 0, err)
        wait_until("the blocker", self.blocker, 60)
        versions = self.watch_versions()
        self.m.docker("start", f"{self.m.project}-api-1")
        somebody = self.m.start_sql("select pg_sleep(120)", "dify", name="somebody")
        self.assertNotEqual(somebody.wait(60), 0)
        wait_until("the container's end", lambda: not self.m.docker("ps", "-q", "--filter", f"name=^{self.m.project}-api-1$"), 60)
        self.let_the_migration_go_on(lock)
        code, out, err = self.m.difyd("upgrade", "--follow")
        self.assertEqual(code, 0, out + err + self.m.tail())
        self.assertEqual(versions(), [])
        self.assertIn(f"ended container {self.m.project}-api-1 (langgenius/dify-api:1.11.3)", out)
        self.assertIn("ended session somebody", out)
        self.assertEqual(self.m.status()["deployed"], "1.12.1")

    def test_who_blocks_the_migration_is_named_and_its_output_outlives_the_daemon(self):
        self.m.sql("grant pg_read_all_stats to dify")
        lock = self.hold_the_migration_up()
        hooks = self.hook()
        self.assertEqual(self.m.difyd("upgrade", "--no-wait", "1.12.1")[0], 0)
        blocked = wait_until("the blocker", self.blocker, 60)
        self.assertRegex(blocked, r"waited \d+ s for table messages, held by session \d+ of postgres \(psql\) since .*pg_sleep\(300\)")
        first = self.m.json("migrations")[-1]
        self.assertEqual(first["result"], "running")

        self.m.stop_daemon(machine.signal.SIGKILL)
        self.m.serve()
        wait_until("the blocker again", self.blocker, 60)
        follow = subprocess.Popen([machine.BIN / "difyd", "--config", self.m.config, "migrations", "log", "-f"],
                                  stdout=subprocess.PIPE, text=True)
        out = follow.stdout.readline()  # it follows
        self.let_the_migration_go_on(lock)
        out += follow.stdout.read()
        self.assertEqual(follow.wait(90), 0)
        follow.stdout.close()
        self.assertIn("Running upgrade", out)
        self.m.await_phase("serving", seconds=180)
        self.assertEqual(self.m.status()["deployed"], "1.12.1")
        # The run of the process that was killed has its end and its output, and so has the one after it.
        runs = self.m.json("migrations")[-2:]
        self.assertEqual([(each["id"], each["result"]) for each in runs], [(first["id"], "done")] * 2)
        log = self.m.difyd("migrations", "log", first["id"])[1]
        self.assertEqual(log.count("--- run of"), 2)
        self.assertEqual(log.count("exit code 0"), 2)
        self.assertIn(out.strip(), log)
        self.assertEqual(self.m.json("migrations", "log", first["id"])["log"], log)

        wait_until("the hook", lambda: len(hooks.read_text().splitlines()) == 4, 30)
        points, given = hooks.read_text().splitlines()[::2], [json.loads(line) for line in hooks.read_text().splitlines()[1::2]]
        self.assertEqual(points, ["before-stop", "after-commit"])
        self.assertEqual([(each["id"], each["from"], each["to"], each["result"]) for each in given],
                         [(first["id"], "1.11.3", "1.12.1", "running"), (first["id"], "1.11.3", "1.12.1", "done")])
        self.assertEqual(given[1], self.m.json("history")[-1])

    def hold_the_migration_up(self):
        """A session that the migration waits for."""
        lock = self.m.start_sql("begin; lock table messages in access share mode; select pg_sleep(300)", "postgres")
        wait_until("it has the lock", lambda: self.m.sql(
            "select count(*) from pg_locks where granted and relation = 'messages'::regclass") != "0", 60)
        return lock

    def let_the_migration_go_on(self, lock):
        self.m.sql("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(300)%' and pid <> pg_backend_pid()")
        lock.wait(60)

    def blocker(self):
        steps = (self.m.status().get("operation") or {"steps": []})["steps"]
        return steps and "held by session" in steps[-1].get("detail", "") and steps[-1]["detail"]

    def hook(self):
        """A configured hook; where it keeps what it was given, a line per call."""
        said = self.m.folder / "hooks"
        script = self.m.folder / "hook"
        script.write_text(f"#!/bin/sh\n{{ echo $DIFYD_HOOK; cat; }} >>{said}\n")
        script.chmod(0o700)
        self.restart_with("upgrade: {", f"upgrade: {{hook: [{script}], ")
        return said

    def restart_with(self, old, new):
        self.m.stop_daemon()
        self.m.config.write_text(self.m.config.read_text().replace(old, new))
        self.m.serve().await_phase("serving")

    def test_an_upgrade_is_aborted_before_the_migration_and_not_after(self):
        self.assertEqual(self.m.difyd("abort")[0], 4)
        self.assertEqual(self.m.difyd("resume")[0], 4)
        script = self.m.folder / "not-now"
        script.write_text("#!/bin/sh\necho the moon is wrong\nexit 75\n")
        script.chmod(0o700)
        self.restart_with("drain_grace: 0s", f"drain_grace: 60s, hook: [{script}]")
        before = self.m.containers()
        _, err = self.upgrade("1.12.1", code=4)
        self.assertIn("the hook says so (75): the moon is wrong", err)
        self.assertEqual((self.m.containers(), self.m.status()["phase"]), (before, "serving"))
        script.write_text("#!/bin/sh\nexit 3\n")  # decides nothing
        self.m.difyd("upgrade", "--no-wait", "1.12.1")
        wait_until("the drain", lambda: "drain" in self.steps(), 60)
        code, out, err = self.m.difyd("abort")
        self.assertEqual(code, 0, out + err + self.m.tail())
        self.assertEqual(err, "")
        self.assertRegex(out, "the upgrade was aborted in step (drain|stop|backup); Dify 1.11.3 serves\n")
        self.assertEqual((self.m.status()["phase"], self.m.status()["deployed"]), ("serving", "1.11.3"))
        self.assertEqual(get(self.m.http, "/console/api/ping")[0], 200)
        self.assertEqual(self.m.json("history")[-1]["result"], "undone")

    def steps(self):
        """Of the upgrade: right after it was asked for the installation's are still shown."""
        operation = self.m.status().get("operation") or {}
        return [each["step"] for each in operation["steps"]] if operation.get("from") else []

    @slow
    def test_a_worker_that_ignores_sigterm_is_stopped_all_the_same(self):
        self.upgrade("1.12.5")
        self.upgrade("1.13.0")
        self.assertEqual(self.m.status()["deployed"], "1.13.0")

    def test_advisories_are_acknowledged_or_nothing_is_touched(self):
        self.assertEqual([each["id"] for each in self.m.json("plan", "1.13.0")["advisories"] if each["acknowledge"]], [])
        self.m.stop_daemon()
        self.m.override("CELERY_QUEUES", "dataset")
        self.m.serve().await_phase("serving")
        plan = self.m.json("plan", "1.13.0")["advisories"]
        self.assertEqual([each["id"] for each in plan if each["acknowledge"]], ["celery-queues-1.13"])
        text = self.m.difyd("plan", "1.13.0")[1]
        self.assertIn("difyd upgrade 1.13.0 --acknowledge ID\n  celery-queues-1.13\n      CELERY_QUEUES is set by hand", text)
        before = self.m.containers()
        _, err = self.upgrade("1.13.0", code=4)
        self.assertIn("not acknowledged: celery-queues-1.13", err)
        self.assertIn("difyd plan 1.13.0", err)
        self.assertIn("difyd upgrade 1.13.0 --acknowledge celery-queues-1.13", err)
        _, err = self.upgrade("1.13.0", "celery-queue-1.13", code=2)
        self.assertIn("there is no advisory celery-queue-1.13", err)
        self.assertIn("Did you mean celery-queues-1.13?", err)

        # A boot acknowledges nothing: what is deployed serves on.
        self.m.stop_daemon()
        self.m.version = "1.13.0"
        self.m.write_config()
        self.m.override("CELERY_QUEUES", "dataset")
        self.m.serve().await_phase("serving")
        refused = wait_until("the finding", lambda: self.m.findings().get("version-refused"))
        self.assertIn("not acknowledged: celery-queues-1.13", refused["detail"])
        self.assertNotIn("operation", self.m.status())

        # The file is read anew, and one that ends earlier does not know the release.
        facts = self.m.folder / "advisories.yaml"
        facts.write_text(facts.read_text().replace("newest_known: 1.18.0", "newest_known: 1.12.1"))
        _, err = self.upgrade("1.13.0", "celery-queues-1.13", code=4)
        self.assertIn("not acknowledged: unknown-release", err)
        facts.write_text("format: 2\n")
        _, err = self.upgrade("1.13.0", "celery-queues-1.13", "unknown-release", code=4)
        self.assertIn(f"{facts}:1:9: it has format 2", err)
        self.assertIn("it has format 2", self.m.json("plan", "1.13.0")["refused"])
        self.assertEqual((self.m.status()["deployed"], self.m.containers()), ("1.11.3", before))
        facts.write_text((machine.SOURCE / "config/advisories.yaml").read_text())
        out, _ = self.upgrade("1.13.0", "celery-queues-1.13", "unknown-release")
        self.assertIn("1.11.3 -> 1.13.0, acknowledged: celery-queues-1.13", out)
        self.assertEqual(self.m.status()["deployed"], "1.13.0")
        wait_until("no finding", lambda: "version-refused" not in self.m.findings())

    @slow
    def test_an_older_and_an_unknown_version_are_refused(self):
        for version, code in (("1.11.3", "deployed"), ("1.10.1", "only go forward"), ("9.9.9", "9.9.9"), ("latest", "latest")):
            before = self.m.containers()
            got, out, err = self.m.difyd("upgrade", version)
            self.assertEqual(got, 2, out + err)
            self.assertIn(code, err)
            self.assertEqual(self.m.containers(), before)
        self.assertEqual(self.m.status()["phase"], "serving")

    @slow
    def test_an_older_configured_version_does_not_go_back(self):
        self.upgrade("1.11.4")
        self.m.stop_daemon()
        self.m.serve().await_phase("serving")
        self.assertEqual(self.m.status()["deployed"], "1.11.4")
        self.assertIn("1.11.3 is configured but 1.11.4 is deployed", self.m.findings()["version-ignored"]["detail"])

    @slow
    def test_a_killed_daemon_goes_on_with_the_upgrade(self):
        code, out, err = self.m.difyd("upgrade", "--no-wait", "1.12.1")
        self.assertEqual(code, 0, err)
        wait_until("the stop step", lambda: "stop" in self.steps(), 60)
        self.m.stop_daemon(machine.signal.SIGKILL)
        # It is up for as long as Dify is down, which is seconds.
        seen = []
        looking = threading.Thread(target=lambda: seen.append(wait_until("the page", lambda: page(self.m.http), 60)))
        looking.start()
        self.m.serve()
        self.m.await_phase("serving", seconds=180)
        looking.join()
        self.assertIn("Dify is", seen[0])
        self.assertEqual(self.m.status()["deployed"], "1.12.1")
        steps = [each["step"] for each in self.m.status()["operation"]["steps"]]
        self.assertEqual(steps[0], "drain")
        self.assertEqual(steps[-1], "commit")
        self.assertEqual(self.m.sql("select version_num from alembic_version"), "788d3099ae3a")


if __name__ == "__main__":
    unittest.main()
