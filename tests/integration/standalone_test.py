"""The databases that the bundle ships, and a hop that renames the database service."""
import json
import unittest

import machine
from machine import Machine, get, page, slow, wait_until

machine.need_engine()


class Standalone(unittest.TestCase):
    def test_from_nothing_through_an_upgrade(self):
        m = Machine("1.11.4", standalone=True)
        self.addCleanup(m.close)
        m.config.unlink()
        made = m.json("init", m.version, "--releases", machine.BUNDLES, "--storage", m.storage, "--project", m.project,
                      "--port", str(m.http))
        self.assertIn(str(m.config), made["files"])
        self.assertEqual(m.difyd("init", m.version)[0], 4)
        m.write_places()
        m.serve().await_phase("serving")
        self.assertNotIn("secret-key-public", m.findings())
        for service in ("api", "plugin_daemon", "sandbox", "redis", "db_postgres", "weaviate"):
            environment = m.docker("inspect", "--format", "{{json .Config}}", f"{m.project}-{service}-1")
            for public in ('"SECRET_KEY=sk-', '"DB_PASSWORD=difyai', '"POSTGRES_PASSWORD=difyai', '"REDIS_PASSWORD=difyai',
                           '"REDISCLI_AUTH=difyai', 'API_KEY=dify-sandbox', "=lYkiYYT6", "=QaHbTe77", "=WVF5YThaHlk"):
                self.assertNotIn(public, environment, service)
        m.set_up()
        self.assertEqual(get(m.http, "/console/api/ping")[0], 200)
        self.assertIn(f"{m.project}-db_postgres-1", m.containers())
        code, out, err = m.difyd("upgrade", "1.12.1")
        self.assertEqual(code, 0, out + err + m.tail())
        self.assertEqual(m.status()["revision"], "788d3099ae3a")
        self.assertTrue(m.is_set_up())

    @slow
    def test_what_is_known_is_what_is_shown(self):
        settings = "upgrade: {drain_grace: 0s, start_timeout: 30s, verify_timeout: 10s}\nhealth: {probe_interval: 1s}\n"
        m = Machine("1.11.4", standalone=True, settings=settings)
        self.addCleanup(m.close)
        m.serve()
        seen = set()

        def serves():
            status = m.status()
            seen.update(each["code"] for each in status["findings"] if each["subject"] == "redis")
            return status["phase"] == "serving"
        wait_until("phase serving", serves, 120)
        self.assertEqual(seen, set())
        self.assertIn("secret-key-public", m.findings())
        self.assertNotIn("sk-simulator", m.difyd("check")[1])

        # Nobody answers: that is not serving, and is mended as soon as it can be.
        m.docker("pause", f"{m.project}-api-1")
        wait_until("no longer serving", lambda: m.status()["phase"] == "starting", 60)
        self.assertIn("port.api", [each["subject"] for each in m.status()["findings"]])
        m.docker("unpause", f"{m.project}-api-1")
        m.await_phase("serving", seconds=60)

        # What was stopped on purpose is not missed.
        self.assertEqual(m.difyd("down")[0], 0)
        wait_until("the page", lambda: "Dify is stopped" in page(m.http), 30)
        subjects = [each["subject"] for each in json.loads(m.difyd("check", "--json")[1])["findings"]]
        self.assertIn("storage", subjects)
        self.assertEqual([each for each in subjects if each.startswith(("redis", "database", "service", "port"))], [])
        self.assertEqual(m.difyd("up")[0], 0)
        self.assertEqual(get(m.http, "/console/api/ping")[0], 200)

    def test_a_renamed_database_service_keeps_its_data_and_never_runs_twice(self):
        m = Machine("1.9.2", standalone=True)
        self.addCleanup(m.close)
        m.serve().await_phase("serving")
        m.set_up()
        self.assertIn(f"{m.project}-db-1", m.containers())
        plan = m.json("plan", "1.10.1")
        self.assertEqual([(each["service"], each["kind"], each["was"], each["irreversible"]) for each in plan["data_services"]],
                         [("db_postgres", "renamed", "db", False)])
        self.assertEqual((plan["services_added"], plan["services_removed"]), (["db_postgres"], ["db"]))
        text = m.difyd("plan", "1.10.1")[1]
        self.assertIn("db_postgres (renamed): db is stopped, removed and proven gone in step stop", text)
        code, out, err = m.difyd("upgrade", "1.10.1", "--plan", plan["hash"], "--acknowledge", "storage-owner-1.10.1")
        self.assertEqual(code, 0, out + err + m.tail())
        names = m.containers()
        self.assertIn(f"{m.project}-db_postgres-1", names)
        self.assertNotIn(f"{m.project}-db-1", names)
        self.assertTrue(m.is_set_up())
        log = (m.folder / "difyd.log").read_text()
        removed, created = log.index(f"{m.project}-db-1"), log.rindex(f"{m.project}-db_postgres-1")
        self.assertLess(removed, created)

    @slow
    def test_a_failed_hop_that_renames_the_database_service_puts_the_old_one_back(self):
        m = Machine("1.9.2", standalone=True)
        self.addCleanup(m.close)
        m.serve().await_phase("serving")
        m.set_up()
        code, out, err = m.difyd("upgrade", "1.12.2")
        self.assertEqual(code, 5, out + err + m.tail())
        names = m.containers()
        self.assertEqual(names.get(f"{m.project}-db-1"), "running")
        self.assertNotIn(f"{m.project}-db_postgres-1", names)
        self.assertTrue(m.is_set_up())
        self.assertEqual(m.status()["deployed"], "1.9.2")


if __name__ == "__main__":
    unittest.main()
