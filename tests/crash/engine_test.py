"""dockerd is killed and starts again; a human starts the old version with docker compose."""
import os
import pathlib
import signal
import subprocess
import unittest

import scene
from machine import SOURCE, wait_until
from scene import LONG, Mishap, Scene, slow

scene.machine.need_engine()


def compose_program(version):
    done = subprocess.run([SOURCE / "tests/oracle/get-docker-compose", version], capture_output=True, text=True, check=False)
    return done.stdout.split()[1] if done.returncode == 0 else None


class Human(unittest.TestCase):
    """docker compose up -d of the old version's folder while the upgrade runs."""

    def up(self, program):
        def act(s):
            folder = pathlib.Path(s.ledger()["deployed"]["bundle"])
            folder = folder if (folder / ".env").exists() else folder / "docker"
            with open(s.m.folder / "compose.log", "a") as log:
                ups.append(subprocess.Popen([program, "-p", s.m.project, "up", "-d"], cwd=folder, stdout=log, stderr=log,
                                            env={**os.environ, "DOCKER_HOST": s.m.engine}, start_new_session=True))

        def end(_):
            """Who begins only now will act after the commit, out of the guard's hands."""
            for each in ups:
                if each.poll() is None:
                    each.kill()
                each.wait()
        ups = []
        self.addCleanup(end, None)
        return act, end

    def meet(self, compose, steps, to=None):
        program = compose_program(compose)
        if program is None:
            self.skipTest(f"docker compose {compose} could not be had")
        s = Scene(self)
        for step in steps:
            act, end = self.up(program)
            version = to or s.next_version()
            result = s.upgrade(version, Mishap(step, act), Mishap("start", end, "done"))
            if result == "held":
                self.assertEqual(s.upgrade(version), "done")
        return s

    def test_up_of_the_old_version_in_the_migration(self):
        s = self.meet("2.40", ["migrate"], LONG)
        # Docker compose starts no api where the guard was quick with what api waits for.
        self.assertRegex((s.m.folder / "difyd.log").read_text(), f"ended container {s.m.project}-(api|plugin_daemon|web)-1 ")

    @slow
    def test_up_of_the_old_version_at_every_step(self):
        for compose in ("2.26", "2.40"):
            self.meet(compose, ["drain", "stop", "backup", "migrate", "start"])


@slow
class Engine(unittest.TestCase):
    """The stack runs on an engine of the test's own; the database is elsewhere, as Cloud SQL is."""

    def setUp(self):
        state = os.environ.get("DIFYD_STATE", "/var/tmp/difyd-test") + "/crash"
        self.environment = {**os.environ, "DIFYD_STATE": state, "DIFYD_PRIVATE_ENGINE": "1"}
        self.environment.pop("DOCKER_HOST")
        self.run_packaging("packaging/engine", "up", "--for", str(os.getpid()))
        self.addCleanup(self.run_packaging, "packaging/engine", "down", "--for", str(os.getpid()))
        self.host = self.run_packaging("packaging/engine", "env").split("=", 1)[1].strip()
        self.pidfile = pathlib.Path(self.host.removeprefix("unix://")).parent / "docker.pid"
        self.environment["DOCKER_HOST"] = self.host
        self.run_packaging("tests/simulator/build-images")
        self.environment.pop("DOCKER_HOST")

    def run_packaging(self, *words):
        return subprocess.run([SOURCE / words[0], *words[1:]], env=self.environment, capture_output=True, text=True, check=True).stdout

    def kill_dockerd(self, s):
        pid = int(self.pidfile.read_text())
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
        os.kill(pid, signal.SIGKILL)
        wait_until("dockerd is gone", lambda: not pathlib.Path(f"/proc/{pid}/cmdline").exists()
                   or not pathlib.Path(f"/proc/{pid}/cmdline").read_bytes(), 20)
        # Where nobody reaps them they and their numbers stay, and the next dockerd takes them for alive.
        self.pidfile.unlink()
        (self.pidfile.parent / "exec/containerd/containerd.pid").unlink(missing_ok=True)
        with open(s.m.folder / "dockerd.log", "a") as log:
            started = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.addCleanup(started.poll)
        wait_until("dockerd answers", lambda: subprocess.run(["docker", "-H", self.host, "version"], capture_output=True,
                                                             check=False).returncode == 0, 90)

    def test_dockerd_is_killed_at_every_step(self):
        s = Scene(self, engine=self.host)
        results = s.at_every_step(self.kill_dockerd)
        print(results, flush=True)


if __name__ == "__main__":
    unittest.main()
