"""A stack that docker compose started is taken over by difyd adopt and difyd serve."""
import json
import os
import shutil
import subprocess
import sys
import unittest

import machine
from machine import ALL, BUNDLES, SOURCE, Machine, free_port, get, slow, wait_until

sys.path.insert(0, str(SOURCE / "tests/oracle"))
import oracle  # noqa: E402

machine.need_engine()


class Adopt(unittest.TestCase):
    def folder_of(self, m, **values):
        """A release as somebody unpacked it long ago, with a .env of his own."""
        folder = m.folder / "opt/dify/docker"
        shutil.copytree(f"{BUNDLES}/dify-{m.version}/docker", folder)
        values = {"COMPOSE_PROJECT_NAME": m.project, "SECRET_KEY": "sk-of-two-years-ago", "EXPOSE_NGINX_PORT": m.http,
                  "EXPOSE_NGINX_SSL_PORT": free_port(), "EXPOSE_PLUGIN_DEBUGGING_PORT": free_port(),
                  "CONSOLE_WEB_URL": "https://dify.example", **values}
        values = {key: value for key, value in values.items() if value is not None}
        lines = []
        for line in (folder / ".env.example").read_text().splitlines():
            key = line.partition("=")[0]
            lines.append(f"{key}={values.pop(key)}" if key in values else line)
        (folder / ".env").write_text("\n".join([*lines, *(f"{key}={value}" for key, value in values.items())]) + "\n")
        return folder

    def compose(self, m, folder, *words):
        program = oracle.program("2.40")
        if program is None:
            self.skipTest("docker compose 2.40 could not be had")
        done = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=180)
        self.assertEqual(done.returncode, 0, done.stderr)

    def adopt(self, m, folder):
        """As an operator does; then what keeps this machine apart from others on the same engine."""
        m.config.unlink()
        document = m.json("adopt", folder, "--releases", BUNDLES)
        self.assertTrue(document["written"])
        self.assertEqual(m.difyd("config", "check")[0], 0)
        m.write_places()
        m.storage = folder / "volumes"
        return document

    def ids(self, m):
        words = ["ps", "-a", "--no-trunc", "--filter", f"label=com.docker.compose.project={m.project}", "--format",
                 '{{.Label "com.docker.compose.service"}} {{.ID}}']
        return dict(line.split() for line in m.on_engine(*words).splitlines())

    def take_over(self, m, folder, *words):
        self.compose(m, folder, *words, "up", "-d")
        wait_until("Dify answers", lambda: get(m.http, "/console/api/ping")[0] == 200, 90)
        wait_until("it can be set up", lambda: get(m.http, "/console/api/setup", "POST", 60)[0] in (200, 201), 60)
        before, state = self.ids(m), m.data_state()
        ticks = state.pop("ticks")  # the worker goes on writing them
        document = self.adopt(m, folder)
        self.assertEqual(document["project"], m.project)
        self.assertEqual(document["services"], [])
        self.assertEqual(self.ids(m), before)  # nothing was touched
        m.serve().await_phase("serving")
        self.assertTrue(m.is_set_up())
        self.assertEqual({key: value for key, value in m.data_state().items() if key != "ticks"}, state)
        self.assertGreaterEqual(m.data_state()["ticks"].get(m.version, 0), ticks.get(m.version, 0))
        status = m.status()
        self.assertEqual((status["deployed"], status["revision"]), (m.version, "905527cc8fd3"))
        ledger = json.loads((m.storage / ".difyd/ledger.json").read_text())
        self.assertEqual(ledger["deployed"]["version"], m.version)
        after = self.ids(m)
        self.assertEqual(sorted(after), sorted(before))
        self.assertEqual(sorted(each for each in after if after[each] != before[each]), document["created_again"])
        self.assertEqual(sorted(each for each in after if after[each] == before[each]), document["left"])
        environment = m.on_engine("inspect", "--format", "{{json .Config.Env}}", f"{m.project}-api-1")
        for expected in ("SECRET_KEY=sk-of-two-years-ago", "CONSOLE_WEB_URL=https://dify.example", "MIGRATION_ENABLED=false"):
            self.assertIn(expected, json.loads(environment))
        return document

    def test_a_stack_with_a_server_of_others(self):
        m = Machine("1.11.4")
        self.addCleanup(m.close)
        postgres = m.postgres
        with open(postgres["DIFYD_POSTGRES_PASSWORD_FILE"]) as file:
            password = file.read().strip()
        server = {"HOST": postgres["DIFYD_POSTGRES_HOST"], "PORT": postgres["DIFYD_POSTGRES_PORT"], "PASSWORD": password}
        # Only its containers say how the project is named.
        folder = self.folder_of(m, COMPOSE_PROJECT_NAME=None, COMPOSE_PROFILES="", VECTOR_STORE="pgvector",
                                DB_USERNAME="dify", DB_SSL_MODE="require", PGVECTOR_USER="dify",
                                PGVECTOR_DATABASE="dify_vector",
                                **{f"{group}_{key}": value for group in ("DB", "PGVECTOR") for key, value in server.items()})
        document = self.take_over(m, folder, "-p", m.project)
        self.assertIn(f"the project is {m.project}, as its containers say", document["decide"][0])
        self.assertNotIn(password, json.dumps(document))
        self.assertIn("adopted: the storage has no ledger", (m.folder / "difyd.log").read_text())
        if ALL:  # from here on it is like any other
            code, out, err = m.difyd("upgrade", "1.12.1")
            self.assertEqual(code, 0, out + err + m.tail())
            self.assertTrue(m.is_set_up())

    @slow
    def test_a_stack_that_has_not_migrated_yet_is_left_alone(self):
        m = Machine("1.11.4", standalone=True)
        self.addCleanup(m.close)
        folder = self.folder_of(m, MIGRATION_ENABLED="false")
        self.compose(m, folder, "up", "-d")
        self.adopt(m, folder)
        api = self.ids(m)["api"]
        m.serve()
        wait_until("it says why", lambda: "run already" in m.status()["message"], 60)
        self.assertEqual((m.status()["phase"], self.ids(m)["api"]), ("starting", api))
        m.on_engine("exec", api, "flask", "db", "upgrade")
        m.await_phase("serving")
        self.assertEqual(m.status()["deployed"], m.version)

    def test_a_stack_with_databases_of_its_own(self):
        m = Machine("1.11.4", standalone=True)
        self.addCleanup(m.close)
        folder = self.folder_of(m, DB_PASSWORD="own-database", REDIS_PASSWORD="own-redis",
                                CELERY_BROKER_URL="redis://:own-redis@redis:6379/1")
        self.take_over(m, folder)


if __name__ == "__main__":
    unittest.main()
