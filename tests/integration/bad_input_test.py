"""Bad input: one clear error that names the thing and the remedy, a non-zero exit, nothing half-made."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import unittest

import machine
from machine import BIN, Machine, slow, wait_until

machine.need_engine()


def compose(folder, *words, host=None):
    environment = dict(os.environ, DOCKER_HOST=host or os.environ["DOCKER_HOST"])
    return subprocess.run([BIN / "difyd", "compose", *words], cwd=folder, text=True, capture_output=True, timeout=60,
                          check=False, env=environment)


class BadCompose(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="difydbad"))
        self.addCleanup(lambda: subprocess.run(["rm", "-rf", self.folder], check=True))

    def fails(self, text, *expected, words=("up", "-d")):
        (self.folder / "compose.yaml").write_text(text)
        done = compose(self.folder, *words)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        for word in expected:
            self.assertIn(word, done.stderr)
        left = subprocess.run(["docker", "ps", "-aq", "--filter", f"label=com.docker.compose.project={self.folder.name}"],
                              text=True, capture_output=True, check=True).stdout
        self.assertEqual(left, "")
        networks = subprocess.run(["docker", "network", "ls", "-q", "--filter", f"label=com.docker.compose.project={self.folder.name}"],
                                  text=True, capture_output=True, check=True).stdout
        return done.stderr, networks

    def test_broken_yaml(self):
        self.fails("services:\n  a:\n   image: [busybox\n", "compose.yaml:")

    def test_unknown_service_in_depends_on(self):
        self.fails("services: {a: {image: busybox:latest, depends_on: [b]}}", "depends on undefined service", "b")

    def test_cycle(self):
        self.fails("services: {a: {image: busybox:latest, depends_on: [b]}, b: {image: busybox:latest, depends_on: [a]}}", "cycle")

    def test_missing_variable(self):
        self.fails("services: {a: {image: \"${NO_SUCH_VARIABLE:?give it}\"}}", "NO_SUCH_VARIABLE", "give it")

    def test_missing_env_file(self):
        self.fails("services: {a: {image: busybox:latest, env_file: no-such.env}}", "no-such.env")

    def test_missing_bind_source(self):
        self.fails("services: {a: {image: busybox:latest, volumes: [\"./no-such.conf:/etc/a.conf\"]}}", "no-such.conf", "a")
        self.assertFalse((self.folder / "no-such.conf").exists())

    def test_image_that_cannot_be_had(self):
        self.fails("services: {a: {image: \"localhost:1/no/such:1\"}}", "localhost:1/no/such:1")

    def test_port_taken(self):
        with socket.socket() as taken:
            taken.bind(("0.0.0.0", 0))
            taken.listen()
            port = taken.getsockname()[1]
            error, _ = self.fails(f"services: {{a: {{image: busybox:latest, command: [sleep, \"60\"], ports: [\"{port}:80\"]}}}}", str(port))
            self.assertIn("a-1", error)
        compose(self.folder, "down")

    def test_engine_that_is_not_there(self):
        (self.folder / "compose.yaml").write_text("services: {a: {image: busybox:latest}}")
        done = compose(self.folder, "up", "-d", host=f"unix://{self.folder}/none.sock")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("none.sock", done.stderr)

    def test_socket_without_permission(self):
        (self.folder / "compose.yaml").write_text("services: {a: {image: busybox:latest}}")
        with socket.socket(socket.AF_UNIX) as closed:
            closed.bind(str(self.folder / "docker.sock"))
            closed.listen()
            os.chmod(self.folder / "docker.sock", 0o600)
            os.chmod(self.folder, 0o755)
            copy = pathlib.Path("/tmp") / f"difyd-{self.folder.name}"
            copy.write_bytes((BIN / "difyd").read_bytes())
            copy.chmod(0o755)
            self.addCleanup(copy.unlink)
            done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", copy, "compose", "up", "-d"], cwd=self.folder,
                                  text=True, capture_output=True, timeout=30, check=False,
                                  env={"DOCKER_HOST": f"unix://{self.folder}/docker.sock"})
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("permission", done.stderr)
        self.assertIn("sudo", done.stderr)


class BadDaemon(unittest.TestCase):
    def test_configuration_mistakes_are_one_sentence_each(self):
        m = Machine("1.11.4", standalone=True)
        self.addCleanup(m.close)
        m.config.write_text(m.config.read_text() + "databse: {}\nredis: {port: many}\n")
        code, _, err = m.difyd("config", "check")
        self.assertEqual(code, 2)
        self.assertIn("databse", err)
        self.assertIn("database", err)
        self.assertIn("redis.port", err)
        code, _, err = m.difyd("serve")
        self.assertEqual(code, 2)
        self.assertIn("difyd.yaml:", err)

    def test_no_daemon(self):
        m = Machine("1.11.4", standalone=True)
        self.addCleanup(m.close)
        code, _, err = m.difyd("status")
        self.assertEqual(code, 3)
        self.assertIn("difyd serve", err)

    def test_an_unknown_configured_version_is_said_and_can_be_mended(self):
        m = Machine("9.9.9", standalone=True)
        self.addCleanup(m.close)
        m.serve()
        wait_until("the reason", lambda: "9.9.9" in m.status()["message"], 20)
        self.assertEqual(m.containers(), {})

    def test_a_storage_root_that_is_not_there(self):
        m = Machine("1.11.4", standalone=True)
        self.addCleanup(m.close)
        (m.folder / "storage").rmdir()
        m.serve()
        wait_until("the reason", lambda: "storage" in m.status()["message"], 20)
        self.assertEqual(m.containers(), {})
        self.assertFalse((m.folder / "storage").exists())
        (m.folder / "storage").mkdir()
        m.await_phase("serving")


class Mistakes(unittest.TestCase):
    """A daemon that serves, and everything that can be typed wrongly at it. Changes nothing."""

    @classmethod
    def setUpClass(cls):
        cls.m = Machine("1.11.4", standalone=True)
        cls.addClassCleanup(cls.m.close)
        cls.m.serve().await_phase("serving")

    def refused(self, code, *words, text, error_code):
        """The same mistake as text and as JSON: one sentence, one object, one exit code."""
        got, out, err = self.m.difyd(*words)
        self.assertEqual((got, out), (code, ""), err)
        self.assertEqual(err.count(text), 1, err)
        got, out, err = self.m.difyd(*words, "--json")
        self.assertEqual((got, err), (code, ""), out)
        error = json.loads(out)["error"]
        self.assertIn(text, error["message"])
        self.assertEqual(error["code"], error_code)
        return error

    def test_a_wrong_name_or_version_is_code_2_whatever_the_command(self):
        before = self.m.containers()
        for words in (["restart", "nosuch"], ["logs", "nosuch"], ["logs", "api", "nosuch"]):
            error = self.refused(2, *words, text="nosuch: the stack has no such service", error_code="no-such-service")
            self.assertIn("plugin_daemon", error["remedy"])
        self.assertIn("Did you mean worker?", self.m.difyd("restart", "wroker")[2])
        self.refused(2, "plan", "1.10.1", text="versions only go forward", error_code="version-older")
        self.refused(2, "plan", "9.9.9", text="cannot find release 9.9.9", error_code="release-unknown")
        for command in ("plan", "upgrade"):
            self.refused(2, command, "latest", text="cannot read version", error_code="bad-version")
        self.refused(2, "migrations", "log", "nosuch", text="no migration nosuch", error_code="no-such-migration")
        self.assertEqual(self.m.containers(), before)

    def test_a_refused_upgrade_says_why_once(self):
        for version, text in (("1.10.1", "versions only go forward"), ("9.9.9", "there is no folder"), ("1.11.4", "it is the deployed version")):
            code, out, err = self.m.difyd("upgrade", version)
            self.assertEqual(code, 2, out + err)
            self.assertEqual((out + err).count(text), 1, out + err)
            code, out, err = self.m.difyd("upgrade", version, "--json")
            events = [json.loads(line) for line in out.splitlines()]
            self.assertEqual((code, err, events[-1]["kind"], events[-1]["state"]), (2, "", "result", "refused"))

    def test_every_command_answers_in_json(self):
        containers = self.m.json("ps")
        self.assertEqual({each["service"] for each in containers}, {each["service"] for each in self.m.status()["services"]})
        self.assertIn("api", [each["service"] for each in containers])
        self.assertEqual(self.m.json("plan", "1.12.1")["to"], "1.12.1")
        migration = self.m.json("migrations")[0]["id"]
        log = self.m.json("migrations", "log", migration)
        self.assertEqual((log["id"], log["log"].strip()), (migration, self.m.difyd("migrations", "log", migration)[1].strip()))
        self.assertEqual(self.m.json("config")["project"], self.m.project)
        self.assertEqual(self.m.json("history")[-1]["to"], "1.11.4")
        findings = json.loads(self.m.difyd("check", "--json")[1])["findings"]
        self.assertTrue(all(each["severity"] in ("ok", "info", "warning", "error", "critical") for each in findings))
        code, out, err = self.m.difyd("restart", "web", "--json")
        events = [json.loads(line) for line in out.splitlines()]
        self.assertEqual((code, err, events[-1]["kind"], events[-1]["state"]), (0, "", "result", "done"))

    def test_logs_as_json(self):
        code, out, err = self.m.difyd("logs", "--json", "--tail", "3", "-t", "api", "redis")
        self.assertEqual((code, err), (0, ""))
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertEqual({each["service"] for each in lines}, {"api", "redis"})
        for each in lines:
            self.assertEqual(list(each), ["service", "container", "stream", "time", "line"])
            self.assertEqual(each["container"], f"{self.m.project}-{each['service']}-1")
            self.assertIn(each["stream"], ("stdout", "stderr"))
            self.assertRegex(each["time"], r"^\d{4}-\d\d-\d\dT")
        plain = self.m.difyd("logs", "--tail", "50", "redis")[1]
        for each in lines:
            if each["service"] == "redis":
                self.assertIn(each["line"], plain)
        line = json.loads(self.m.difyd("logs", "--json", "--tail", "1", "api")[1])
        self.assertEqual(list(line), ["service", "container", "stream", "line"])

    def ask(self, *words):
        """Status, headers and error of an answer of the control socket, through curl."""
        done = subprocess.run(["curl", "-s", "-i", "--max-time", "10", "--unix-socket", f"{self.m.folder}/run/difyd.sock", *words],
                              text=True, capture_output=True, check=True)
        head, _, body = done.stdout.partition("\n\n")
        lines = head.splitlines()
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        self.assertEqual(headers["content-type"], "application/json")
        error = json.loads(body)["error"]
        self.assertEqual(sorted(error), ["code", "message", "remedy"])
        return int(lines[0].split()[1]), headers, error["code"]

    def test_the_control_socket_says_what_is_wrong(self):
        self.assertEqual(self.ask("http://d/nosuch")[::2], (404, "no-such-route"))
        self.assertEqual(self.ask("http://d/v1/migrations//log")[::2], (404, "no-such-route"))
        self.assertEqual(self.ask("http://d/v1/migrations/x/log")[::2], (404, "no-such-migration"))
        for method, path, allowed in (("DELETE", "/v1/status", "GET, HEAD"), ("POST", "/v1/plan", "GET, HEAD"), ("GET", "/v1/upgrade", "POST"),
                                      ("PUT", "/v1/stack/down", "POST"), ("POST", "/v1/migrations/x/log", "GET, HEAD")):
            status, headers, code = self.ask("-X", method, "http://d" + path)
            self.assertEqual((status, code, headers["allow"]), (405, "method-not-allowed", allowed), path)
        big = self.m.folder / "big"
        big.write_bytes(b"x" * 70000)
        self.assertEqual(self.ask("--data-binary", f"@{big}", "http://d/v1/upgrade")[::2], (413, "content-too-large"))
        for body, path, wanted in (('{"version": "x"}', "/v1/upgrade", (400, "bad-version")), ('{"version', "/v1/upgrade", (400, "bad-request")),
                                   ('{"services": "api"}', "/v1/stack/restart", (400, "bad-request")),
                                   ('{"services": ["nosuch"]}', "/v1/stack/restart", (404, "no-such-service"))):
            self.assertEqual(self.ask("-d", body, "http://d" + path)[::2], wanted, body)


class FollowingAnUpgrade(unittest.TestCase):
    def setUp(self):
        self.m = Machine("1.11.4", standalone=True)
        self.addCleanup(self.m.close)
        self.m.override("SIMULATOR_MIGRATION_SECONDS", '"6"')
        self.m.serve().await_phase("serving")

    def begin(self, version):
        self.assertEqual(self.m.difyd("upgrade", "--no-wait", version)[0], 0)
        # The installation, which is told until the upgrade begins, had such a step, too.
        self.m.await_that("the stop step", lambda: "stop" in self.steps_to(version), 60)

    def steps_to(self, version):
        operation = self.m.status().get("operation") or {"to": ""}
        return [each["step"] for each in operation["steps"]] if operation["to"] == version else []

    def test_it_is_followed_from_its_first_step_to_its_end(self):
        self.begin("1.12.7")
        for words in (["upgrade", "1.12.5"], ["up"], ["restart", "api"]):
            code, out, err = self.m.difyd(*words)
            self.assertEqual((code, out), (4, ""))
            self.assertIn("difyd upgrade --follow", err)
        follower = subprocess.Popen([BIN / "difyd", "--config", self.m.config, "upgrade", "--follow"], text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(follower.kill)
        seen = follower.stdout.readline() + follower.stdout.readline()
        self.assertIn("1.11.4 -> 1.12.7", seen)
        self.assertIn("step admit", seen)
        follower.send_signal(signal.SIGINT)
        _, err = follower.communicate(timeout=60)
        self.assertEqual(follower.returncode, 130)
        self.assertIn("goes on in the daemon; follow it with: difyd upgrade --follow", err)
        code, out, err = self.m.difyd("upgrade", "--follow")
        self.assertEqual(code, 0, out + err)
        for step in ("admit", "prepare", "stop", "migrate", "start", "verify", "commit"):
            self.assertEqual(out.count(f"step {step} begun"), 1, out)
        self.assertIn("Dify 1.12.7 is up and committed", out)
        # Who comes too late is told what it came to.
        code, out, _ = self.m.difyd("upgrade", "--follow")
        self.assertEqual(code, 0)
        self.assertIn("the upgrade 1.11.4 -> 1.12.7, begun ", out)
        self.assertIn("Dify 1.12.7 is up and committed", out)
        self.assertEqual(self.m.json("upgrade", "--follow")["state"], "done")
        self.m.stop_daemon()
        self.m.serve().await_phase("serving")
        code, out, _ = self.m.difyd("upgrade", "--follow", "--json")
        self.assertEqual((code, json.loads(out)["error"]["code"]), (4, "no-upgrade"))

    @slow
    def test_one_that_a_new_daemon_goes_on_with_is_followed_to_its_end(self):
        self.begin("1.12.1")
        self.m.stop_daemon(signal.SIGKILL)
        self.m.serve()
        self.m.await_that("the upgrade goes on", lambda: self.m.status().get("operation"), 60)
        code, out, err = self.m.difyd("upgrade", "--follow")
        self.assertEqual(code, 0, out + err)
        self.assertEqual(self.m.status()["deployed"], "1.12.1")

    @slow
    def test_a_hold_has_one_exit_code_and_the_same_commands_everywhere(self):
        self.begin("1.12.3")
        code, out, err = self.m.difyd("upgrade", "--follow")
        self.assertEqual(code, 6, out + err)
        options = self.m.await_phase("holding")["options"]
        self.assertTrue(options)
        for words in (["up"], ["upgrade", "--follow"]):
            code, _, again = self.m.difyd(*words)
            self.assertEqual(code, 6, again)
            for option in options:
                self.assertEqual(again.count(option), 1, again)
                self.assertIn(option, err)
        self.assertEqual(self.m.difyd("restart", "api")[0], 4)
        self.assertEqual(self.m.difyd("down")[0], 0)
        for words in (["logs"], ["logs", "-f", "api"]):
            code, out, err = self.m.difyd(*words)
            self.assertEqual((code, out), (4, ""))
            self.assertIn("the stack is down", err)
            self.assertIn("difyd up", err)


if __name__ == "__main__":
    unittest.main()
