"""Bad input: one clear error that names the thing and the remedy, a non-zero exit, nothing half-made."""
import os
import pathlib
import socket
import subprocess
import tempfile
import unittest

import machine
from machine import BIN, Machine, wait_until

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
        self.assertEqual(code, 1)
        self.assertIn("databse", err)
        self.assertIn("database", err)
        self.assertIn("redis.port", err)
        code, _, err = m.difyd("serve")
        self.assertEqual(code, 1)
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


if __name__ == "__main__":
    unittest.main()
