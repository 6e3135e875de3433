"""Upgrades that go wrong: each ends as DESIGN says, with exit code, reason and remedy."""
import unittest

import machine
from machine import Machine, get, page, wait_until

machine.need_engine()


class FailingUpgrade(unittest.TestCase):
    def setUp(self):
        self.m = Machine("1.12.1", settings="upgrade: {drain_grace: 0s, start_timeout: 15s, verify_timeout: 10s, backup_image: 'postgres:15-alpine'}\n")
        self.addCleanup(self.m.close)
        self.overlay = self.m.folder / "overlay"
        self.overlay.mkdir()
        (self.overlay / "mine").write_text("of 1.12.1")
        self.m.config.write_text(self.m.config.read_text().replace("releases: {", f"releases: {{overlay: {self.overlay}, "))
        self.m.serve().await_phase("serving")

    def laid_over(self, version):
        return (self.m.folder / f"var/releases/dify-{version}/docker/mine").read_text()

    def test_a_migration_that_fails_unmoved_puts_the_old_version_back(self):
        (self.overlay / "mine").write_text("of 1.12.2")
        code, out, err = self.m.difyd("upgrade", "1.12.2")
        self.assertEqual(code, 5, out + err + self.m.tail())
        self.assertIn("the database is unchanged", err)
        # What was prepared for the new version is not laid over the old one.
        self.assertEqual((self.laid_over("1.12.2"), self.laid_over("1.12.1")), ("of 1.12.2", "of 1.12.1"))
        self.assertIn("difyd migrations log", err)
        status = self.m.status()
        self.assertEqual((status["phase"], status["deployed"]), ("serving", "1.12.1"))
        self.assertEqual(get(self.m.http, "/console/api/ping")[0], 200)
        self.assertEqual(self.m.sql("select version_num from alembic_version"), "788d3099ae3a")
        self.assertEqual(self.m.json("history")[-1]["result"], "undone")
        note = self.m.findings()["upgrade-undone"]
        self.assertEqual(note["severity"], "info")
        self.assertIn("1.12.1 was put back, because the migration to 1.12.2 failed", note["detail"])
        self.assertIn("was put back", self.m.difyd("check")[1])

    def test_a_migration_that_fails_half_way_holds(self):
        code, out, err = self.m.difyd("upgrade", "1.12.3")
        self.assertEqual(code, 6, out + err + self.m.tail())
        self.assertIn("after the database had moved", err)
        status = self.m.status()
        self.assertEqual(status["phase"], "holding")
        self.assertTrue(1 <= len(status["options"]) <= 3)
        self.assertEqual(get(self.m.health, "/healthz")[0], 200)
        self.assertEqual(get(self.m.health, "/readyz")[0], 503)
        self.held()
        # What runs is shown, and what should.
        api = next(each for each in status["services"] if each["service"] == "api")
        self.assertEqual((api["image"], api["wanted_image"]),
                         ("langgenius/dify-api:1.12.1", "langgenius/dify-api:1.12.3"))
        # Nor by a human: a hold is guarded.
        self.m.docker("start", f"{self.m.project}-api-1")
        wait_until("it is ended", lambda: self.m.containers()[f"{self.m.project}-api-1"] == "exited", 60)
        said = f"ended container {self.m.project}-api-1"
        wait_until("it is told", lambda: said in (self.m.folder / "difyd.log").read_text(), 20)
        self.nothing_goes_on_beside_a_backup()
        # Trying again does not forget that the database moved, and nothing old is started by hand.
        self.assertEqual(self.m.difyd("restart", "api")[0], 4)
        code, out, err = self.m.difyd("resume")
        self.assertEqual(code, 6, out + err + self.m.tail())
        self.assertIn("the migration to 1.12.3 failed", err)
        self.assertEqual(self.m.status()["phase"], "holding")
        # A restart of the daemon holds too: nothing is started on a schema that nobody knows.
        self.m.stop_daemon()
        self.m.serve().await_phase("holding")
        running = [n for n, s in self.m.containers().items() if s == "running" and ("api" in n or "worker" in n)]
        self.assertEqual(running, [])
        self.held()
        steps = [each["step"] for each in self.m.status()["operation"]["steps"]]
        self.assertEqual(steps, ["drain", "stop", "backup", "migrate"])
        # Stopping is no way out of it, and hides nothing, after a restart of the daemon neither.
        self.assertEqual(self.m.difyd("down")[0], 0)
        self.held("Dify is stopped")
        self.assertIn("still held", self.m.status()["message"])
        self.m.stop_daemon()
        code, out, _ = self.m.difyd("check")
        self.assertEqual(code, 2)
        self.assertIn("is held since", out)
        self.m.serve().await_phase("stopped")
        self.held("Dify is stopped")
        self.assertEqual(self.m.difyd("up")[0], 6)
        self.held()

    def nothing_goes_on_beside_a_backup(self):
        lock = self.m.start_sql("begin; lock table tenants in access exclusive mode; select pg_sleep(300)", "postgres")
        wait_until("it has the lock", lambda: self.m.sql(
            "select count(*) from pg_locks where granted and mode = 'AccessExclusiveLock' and relation = 'tenants'::regclass") != "0", 60)
        code, out, err = self.m.difyd("backup", "--no-wait")
        self.assertEqual(code, 0, out + err)
        wait_until("the backup", lambda: [name for name, state in self.m.containers().items() if "-backup-" in name and state == "running"], 60)
        for words in (["resume"], ["upgrade", "1.12.5"], ["repin", "1.12.1"]):
            code, _, err = self.m.difyd(*words)
            self.assertEqual((code, "a backup runs" in err), (4, True), err)
        self.assertEqual(self.m.difyd("abort")[0], 0)
        self.assertEqual([name for name in self.m.containers() if "-backup-" in name], [])
        lock.kill()
        self.m.sql("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(300)%' and pid <> pg_backend_pid()")
        lock.wait(60)

    def held(self, words="The upgrade did not finish"):
        """The hold is told everywhere: status, check, and the page on nginx's port."""
        found = self.m.findings()["upgrade-held"]
        self.assertEqual(found["severity"], "error")
        self.assertIn("the upgrade from 1.12.1 to 1.12.3 is held since", found["detail"])
        self.assertTrue(1 <= len(found["remedy"].splitlines()) <= 3)
        code, out, _ = self.m.difyd("check")
        self.assertEqual(code, 2)
        self.assertIn("is held since", out)
        wait_until("the page: " + words, lambda: words in page(self.m.http), 30)

    def test_an_api_that_never_becomes_healthy_goes_back_where_nothing_moved(self):
        self.assertEqual(self.m.difyd("upgrade", "--no-wait", "1.12.4")[0], 0)
        wait_until("what is waited for", lambda: "waiting for api: " in self.m.status()["message"], 60)
        wait_until("the page", lambda: "Dify is being upgraded" in page(self.m.http), 30)
        step = next(each for each in self.m.status()["operation"]["steps"] if each["step"] == "start")
        wait_until("the step's time passes", lambda: self.m.status()["operation"]["steps"][-1]["seconds"] > step["seconds"], 30)
        wait_until("the old version is back", lambda: self.m.status()["operation"]["result"] == "undone", 300)
        self.assertIn("of 15 s)", (self.m.folder / "difyd.log").read_text())
        status = self.m.status()
        self.assertEqual((status["phase"], status["deployed"]), ("serving", "1.12.1"))
        self.assertEqual(get(self.m.http, "/console/api/ping")[0], 200)


if __name__ == "__main__":
    unittest.main()
