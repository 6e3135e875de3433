"""The daemon keeps a stack up: health, check, healing, restart of the daemon, down and up."""
import json
import json
import pathlib
import shutil
import socket
import subprocess
import unittest

import machine
from machine import BIN, BUNDLES, Machine, get, slow, wait_until

machine.need_engine()


class Serve(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.m = Machine("1.11.4")
        cls.addClassCleanup(cls.m.close)
        cls.m.serve().await_phase("serving")

    def test_dify_answers_and_health_says_so(self):
        self.assertEqual(get(self.m.http, "/console/api/ping")[0], 200)
        self.assertEqual(get(self.m.http, "/signin")[0], 200)
        self.m.set_up()
        self.assertTrue(self.m.is_set_up())
        self.assertEqual(wait_until("readyz", lambda: get(self.m.health, "/readyz")[0] == 200, 30), True)
        self.assertEqual(get(self.m.health, "/healthz")[0], 200)

    def test_the_schema_was_migrated_by_difyd_alone(self):
        self.assertEqual(self.m.sql("select version_num from alembic_version"), "905527cc8fd3")
        self.assertEqual([each["exit_code"] for each in self.m.json("migrations")], [0])
        for service in ("api", "worker", "worker_beat"):
            environment = self.m.docker("inspect", "-f", "{{json .Config.Env}}", f"{self.m.project}-{service}-1")
            self.assertIn('"MIGRATION_ENABLED=false"', environment)

    def test_check_finds_everything_and_no_errors(self):
        def checked():
            code, out, err = self.m.difyd("check")
            return code in (0, 1) and out
        out = self.m.await_that("a check without errors", checked)
        for subject in ("storage", "database.main", "redis", "engine", "disk"):
            self.assertIn(subject, out)

    def test_restart_policies_are_difyds(self):
        for name in self.m.containers():
            policy = self.m.docker("inspect", "-f", "{{.HostConfig.RestartPolicy.Name}}", name).strip()
            self.assertEqual(policy, "no", name)

    def test_what_dies_is_started_again_and_what_is_removed_is_made_again(self):
        worker = f"{self.m.project}-worker-1"
        self.m.docker("kill", worker)
        wait_until("the worker runs again", lambda: self.m.containers().get(worker) == "running", 30)
        web = f"{self.m.project}-web-1"
        self.m.docker("rm", "-f", web)
        wait_until("web is there again", lambda: self.m.containers().get(web) == "running", 30)
        wait_until("the web front end answers", lambda: get(self.m.http, "/signin")[0] == 200, 30)

    def test_the_daemon_leaves_the_stack_and_adopts_it(self):
        wait_until("nothing is at work", lambda: all(s == "running" for n, s in self.m.containers().items()
                                                    if "init" not in n and "migrate" not in n), 30)
        before = self.m.docker("ps", "-q", "--no-trunc", "--filter", f"label=com.docker.compose.project={self.m.project}")
        self.m.stop_daemon()
        self.assertEqual(get(self.m.http, "/console/api/ping")[0], 200)
        self.m.serve().await_phase("serving")
        after = self.m.docker("ps", "-q", "--no-trunc", "--filter", f"label=com.docker.compose.project={self.m.project}")
        self.assertEqual(sorted(before.split()), sorted(after.split()))

    def test_a_second_daemon_is_refused(self):
        done = subprocess.run([BIN / "difyd", "--config", self.m.config, "serve"], text=True, capture_output=True,
                              timeout=60, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("supervises it on this engine", done.stderr)

    def test_compose_refuses_to_change_a_supervised_project(self):
        def compose(*words):
            return subprocess.run([BIN / "difyd", "compose", "-p", self.m.project, *words], text=True,
                                  capture_output=True, timeout=60, check=False,
                                  env={"DOCKER_HOST": machine.os.environ["DOCKER_HOST"]})

        before = self.m.containers()
        for command in ("stop", "restart", "down"):
            done = compose(command)
            self.assertNotEqual(done.returncode, 0, command)
            self.assertIn(f"difyd upgrade with DIFYD_SOCKET={self.m.folder}/run/difyd.sock", done.stderr)
        self.assertEqual(self.m.containers(), before)
        self.assertEqual(compose("ps").returncode, 0)

    def test_a_second_daemon_with_another_socket_is_refused(self):
        text = self.m.config.read_text().replace("run/difyd.sock", "run/other.sock")
        other = self.m.folder / "other.yaml"
        other.write_text(text)
        done = subprocess.run([BIN / "difyd", "--config", other, "serve"], text=True, capture_output=True,
                              timeout=60, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("supervises it on this engine", done.stderr)

    def test_logs_and_ps(self):
        code, out, _ = self.m.difyd("logs", "--tail", "5", "nginx", "api")
        self.assertEqual(code, 0)
        self.assertIn("api", out)
        code, out, _ = self.m.difyd("ps")
        self.assertEqual(code, 0)
        self.assertIn("worker_beat", out)

    def test_secrets_are_nowhere(self):
        password = pathlib.Path(self.m.postgres["DIFYD_POSTGRES_PASSWORD_FILE"]).read_text().strip()
        self.assertNotIn(password, (self.m.folder / "difyd.log").read_text())
        for words in (["status", "--json"], ["config"], ["plan", "1.12.1"], ["plan", "1.12.1", "--json"], ["check", "--json"]):
            code, out, err = self.m.difyd(*words)
            self.assertNotIn(password, out + err, words)


class DownAndUp(unittest.TestCase):
    def test_down_stays_down_and_up_brings_it_back(self):
        m = Machine("1.11.4")
        self.addCleanup(m.close)
        m.serve().await_phase("serving")
        self.assertEqual(m.difyd("down")[0], 0)
        self.assertEqual([n for n in m.containers() if "migrate" not in n], [])
        wait_until("readyz", lambda: get(m.health, "/readyz")[0] == 503, 30)
        self.assertEqual(get(m.health, "/healthz")[0], 200)
        m.stop_daemon()
        m.serve()
        self.assertEqual(m.await_phase("stopped")["phase"], "stopped")
        self.assertEqual(m.difyd("up")[0], 0)
        self.assertEqual(get(m.http, "/console/api/ping")[0], 200)
        self.a_ledger_of_a_newer_difyd_holds(m)

    def a_ledger_of_a_newer_difyd_holds(self, m):
        ledger, before = m.storage / ".difyd/ledger.json", m.containers()
        known = ledger.read_text()
        m.stop_daemon()
        ledger.write_text(json.dumps(json.loads(known) | {"format": 99}))
        status = m.serve().await_phase("holding")
        self.assertIn("it has format 99 and this difyd knows up to", status["message"])
        self.assertIn("or a newer one", status["options"][0])
        self.assertEqual((m.containers(), json.loads(ledger.read_text())["format"]), (before, 99))
        ledger.write_text(known)
        self.assertEqual(m.difyd("up")[0], 0)
        m.await_phase("serving")


class OwnWishes(unittest.TestCase):
    """A release whose compose file and environment ask for what is not usual."""
    address = "127.0.0.2"

    @classmethod
    def setUpClass(cls):
        cls.m = Machine("1.11.4")
        cls.addClassCleanup(cls.m.close)
        own = cls.m.folder / "releases"
        shutil.copytree(f"{BUNDLES}/dify-1.11.4", own / "dify-1.11.4", symlinks=True)
        file = own / "dify-1.11.4/docker/docker-compose.yaml"
        file.write_text(file.read_text().replace("  worker_beat:\n", "  worker_beat:\n    deploy: {replicas: 0}\n"))
        cls.m.config.write_text(cls.m.config.read_text().replace(f"source: {BUNDLES}", f"source: {own}").replace(
            f'EXPOSE_NGINX_PORT: "{cls.m.http}"', f'EXPOSE_NGINX_PORT: "{cls.address}:{cls.m.http}"'))
        cls.m.serve().await_phase("serving")

    def test_the_entrance_is_asked_and_the_page_shown_at_its_own_address(self):
        wait_until("readyz", lambda: get(self.m.health, "/readyz")[0] == 200, 30)
        self.assertEqual(get(self.m.http, "/signin")[0], 0)
        self.assertEqual(get(self.m.http, "/signin", address=self.address)[0], 200)
        self.assertEqual(self.m.status()["url"], f"http://{self.address}:{self.m.http}/")
        found = {each["subject"]: each["code"] for each in json.loads(self.m.difyd("check", "--json")[1])["findings"]}
        self.assertEqual((found["port.api"], found["setup"]), ("port-answers", "setup-open"))
        self.assertEqual(self.m.difyd("maintenance", "on")[0], 0)
        wait_until("the page", lambda: get(self.m.http, "/", address=self.address)[0] == 503, 30)
        with socket.create_server(("127.0.0.1", self.m.http)):
            pass  # nobody holds it there
        self.assertEqual(self.m.difyd("maintenance", "off")[0], 0)
        self.assertEqual(get(self.m.http, "/signin", address=self.address)[0], 200)

    @slow
    def test_a_service_of_scale_0_is_not_waited_for_nor_missed(self):
        wait_until("readyz", lambda: get(self.m.health, "/readyz")[0] == 200, 30)
        self.assertNotIn(f"{self.m.project}-worker_beat-1", self.m.containers())
        status = self.m.status()
        self.assertNotIn("worker_beat", [each["service"] for each in status["services"]])
        found = json.loads(self.m.difyd("check", "--json")[1])["findings"]
        self.assertIn("service.worker", [each["subject"] for each in found])
        self.assertNotIn("service.worker_beat", [each["subject"] for each in found])
        self.assertNotIn("worker_beat has no container", self.m.tail(400))


class TwoMachines(unittest.TestCase):
    def test_a_second_machine_waits_for_the_lease_and_starts_nothing(self):
        first = Machine("1.11.4")
        self.addCleanup(first.close)
        first.serve().await_phase("serving")
        second = Machine("1.11.4", database_of=first, share_of=first)
        self.addCleanup(second.close)
        second.serve().await_phase("waiting-for-lease")
        self.assertEqual(second.containers(), {})
        wait_until("its health", lambda: get(second.health, "/healthz")[0] == 200, 30)
        self.assertEqual(get(second.health, "/readyz")[0], 503)
        self.assertIn("held by", second.status()["lease"])
        # A daemon that ended leaves its stack up: the lease is free and yet not to be had.
        first.stop_daemon()
        wait_until("the stack that may still run is named",
                   lambda: "may still run" in second.status()["lease"], 30)
        self.assertEqual(second.status()["phase"], "waiting-for-lease")
        self.assertEqual(second.containers(), {})
        second.stop_daemon()
        # The databases belong to the storage of these two, not to another machine's empty one.
        third = Machine("1.11.4", database_of=first)
        self.addCleanup(third.close)
        self.assertIn("do not belong together", third.serve().await_phase("holding")["message"])
        self.assertEqual(third.containers(), {})


if __name__ == "__main__":
    unittest.main()
