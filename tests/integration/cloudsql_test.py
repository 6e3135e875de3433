"""Backups by Cloud SQL: an API that replays its answers, a real PostgreSQL, and the way back by an operator's own hands."""
import http.server
import json
import os
import subprocess
import threading
import unittest

import machine
from machine import Machine, get, slow

machine.need_engine()

TOKEN = "ya29.replayed-token"


class Api(http.server.BaseHTTPRequestHandler):
    """The metadata server and the Cloud SQL Admin API in one. `script`: answers to what changes something."""
    script, seen, run = [], [], {}

    def log_message(self, *_):
        pass

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path.startswith("/computeMetadata/"):
            if self.path.endswith("/token"):
                return self.answer(200, {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})
            return self.answer(200, 4711) if self.path.endswith("/instance/id") else self.answer(404, {})
        Api.seen.append(("GET", self.path, self.headers["Authorization"]))
        if "/operations/" in self.path:
            return self.answer(200, {"name": "op", "status": "DONE", "backupContext": {"backupId": "17"}})
        if self.path.endswith("/backupRuns/17"):
            return self.answer(200, Api.run)
        return self.answer(200, {"items": [Api.run] if Api.run.get("description") else []})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Api.seen.append(("POST", self.path, self.headers["Authorization"]))
        status, value = Api.script.pop(0)
        if status == 200:
            Api.run.update(body)
        self.answer(status, value)


class CloudSql(unittest.TestCase):
    def setUp(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        where = f"127.0.0.1:{server.server_port}"
        os.environ["GCE_METADATA_HOST"] = where
        self.addCleanup(os.environ.pop, "GCE_METADATA_HOST")
        Api.script, Api.seen = [], []
        Api.run = {"id": "17", "status": "SUCCESSFUL", "endTime": "2026-11-21T18:00:00.000Z"}
        self.m = Machine("1.12.1", settings="upgrade: {drain_grace: 0s, start_timeout: 60s, backup: cloudsql, "
                         "backup_image: 'postgres:15-alpine', cloudsql_instances: ['my-project:europe-west1:dify-db'], "
                         f"cloudsql_api: 'http://{where}'}}\n")
        self.addCleanup(self.m.close)
        self.m.serve().await_phase("serving")
        self.m.set_up()
        self.m.sql("create table seeded (row text); alter table seeded owner to dify; insert into seeded values ('before')")

    def in_container(self, command):
        subprocess.run(["docker", "exec", self.m.postgres["DIFYD_POSTGRES_CONTAINER"], "sh", "-ec", command], check=True)

    def test_a_backup_that_cannot_be_had_refuses_and_the_old_version_serves(self):
        before = self.m.containers()
        for script, run, said in (
                ([(403, {"error": {"message": "Not allowed", "errors": [{"reason": "forbidden"}]}})], {}, "cloudsql.backupRuns.create"),
                ([(200, {"name": "op", "status": "PENDING"})], {"status": "FAILED", "error": {"message": "no space"}}, "17 is FAILED: no space"),
                ([(200, {"name": "op", "status": "PENDING"})], {"status": "SKIPPED"}, "17 is SKIPPED")):
            Api.script = list(script)
            Api.run = {"id": "17", **run}
            code, out, err = self.m.difyd("upgrade", "1.12.4")
            self.assertEqual(code, 4, out + err)
            self.assertIn(said, err)
            self.assertEqual((Api.script, self.m.containers()), ([], before))
        self.assertEqual(self.m.json("backup", "list"), [])
        self.assertNotIn(TOKEN, (self.m.folder / "difyd.log").read_text())

    @slow
    def test_a_held_upgrade_is_left_by_the_commands_that_are_told(self):
        self.in_container("pg_dump -U postgres -Fc -f /tmp/as-it-was dify")
        Api.script = [(409, {"error": {"message": "busy", "errors": [{"reason": "operationInProgress"}]}}),
                      (200, {"name": "op", "status": "PENDING"})]
        code, out, err = self.m.difyd("upgrade", "1.12.3")
        self.assertEqual(code, 6, out + err + self.m.tail())
        self.assertIn("my-project:dify-db is busy with another operation", out)
        self.assertIn("my-project:dify-db backup 17", out)
        self.assertEqual({each[2] for each in Api.seen}, {f"Bearer {TOKEN}"})
        # While the old version still served: nothing was asked after the stop.
        self.assertLess(out.index("backup 17"), out.index("step drain"))
        backup, = self.m.json("backup", "list")
        self.assertEqual((backup["kind"], backup["version"], backup["writes_stopped"]), ("cloudsql", "1.12.1", True))
        offer = f"difyd rollback --restore {backup['id']}: says how Cloud SQL puts 1.12.1 back as it was at 2026-11-21T18:00:00.000Z"
        self.assertTrue(any(each.startswith(offer) for each in self.m.status()["options"]), self.m.status()["options"])

        code, out, err = self.m.difyd("rollback", "--restore", backup["id"], "--yes")
        self.assertEqual(code, 4, out + err)
        for line in ("difyd down: ", "gcloud sql backups restore 17 --project=my-project --restore-instance=dify-db: ",
                     "difyd repin 1.12.1: ", "gcloud sql instances clone dify-db NEW --project=my-project --point-in-time="):
            self.assertIn(line, err)

        # Before that was done the tables are half way, and nobody is fooled.
        self.assertEqual(self.m.difyd("down")[0], 0)
        code, out, err = self.m.difyd("repin", "1.12.1")
        self.assertEqual(code, 4, out + err)
        self.assertIn("the tables are not as the upgrade to 1.12.3 found them", err)
        code, out, err = self.m.difyd("repin", "1.12.3")
        self.assertEqual(code, 4, out + err)
        self.assertIn("1.12.3 is not the version that it came from", err)

        self.m.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'dify'", "postgres")
        self.in_container("dropdb -U postgres -f dify; createdb -U postgres -O dify dify; pg_restore -U postgres -d dify /tmp/as-it-was")
        code, out, err = self.m.difyd("repin", "1.12.1")
        self.assertEqual(code, 0, out + err + self.m.tail())
        status = self.m.await_phase("serving")
        self.assertEqual((status["deployed"], status["revision"]), ("1.12.1", "788d3099ae3a"))
        self.assertEqual(get(self.m.http, "/console/api/ping")[0], 200)
        self.assertEqual(self.m.sql("select row from seeded"), "before")
        last = self.m.json("history")[-1]
        self.assertEqual((last["to"], last["result"]), ("1.12.3", "undone"))
        self.assertIn("repinned 1.12.1", last["reason"])


if __name__ == "__main__":
    unittest.main()
