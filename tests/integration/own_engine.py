"""A Docker Engine of the test's own, which it may kill and freeze."""
import os
import pathlib
import signal
import subprocess

from machine import SOURCE, wait_until


class OwnEngine:
    def __init__(self, name):
        """`name`: of its folder below the state of the tests. Comes with the simulator's images."""
        state = os.environ.get("DIFYD_STATE", "/var/tmp/difyd-test") + "/" + name
        self.environment = {**os.environ, "DIFYD_STATE": state, "DIFYD_PRIVATE_ENGINE": "1"}
        self.environment.pop("DOCKER_HOST", None)
        self.started = []
        self.run("packaging/engine", "up", "--for", str(os.getpid()))
        try:
            self.host = self.run("packaging/engine", "env").split("=", 1)[1].strip()
            self.pidfile = pathlib.Path(self.host.removeprefix("unix://")).parent / "docker.pid"
            self.environment["DOCKER_HOST"] = self.host
            self.run("tests/simulator/build-images")
            self.environment.pop("DOCKER_HOST")
        except BaseException:
            self.close()
            raise

    def run(self, *words):
        return subprocess.run([SOURCE / words[0], *words[1:]], env=self.environment, capture_output=True, text=True, check=True).stdout

    def pid(self):
        return int(self.pidfile.read_text())

    def answers(self):
        try:
            return subprocess.run(["docker", "-H", self.host, "version"], capture_output=True, check=False, timeout=5).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def freeze(self):
        os.kill(self.pid(), signal.SIGSTOP)

    def thaw(self):
        os.kill(self.pid(), signal.SIGCONT)

    def kill(self):
        """Gives what starts it again."""
        pid = self.pid()
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
        os.kill(pid, signal.SIGKILL)
        wait_until("dockerd is gone", lambda: not pathlib.Path(f"/proc/{pid}/cmdline").exists()
                   or not pathlib.Path(f"/proc/{pid}/cmdline").read_bytes(), 20)
        # Where nobody reaps them they and their numbers stay, and the next dockerd takes them for alive.
        self.pidfile.unlink()
        (self.pidfile.parent / "exec/containerd/containerd.pid").unlink(missing_ok=True)
        return command

    def start(self, command, log_path):
        with open(log_path, "a") as log:
            self.started.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True))
        wait_until("dockerd answers", self.answers, 90)

    def close(self):
        try:
            self.run("packaging/engine", "down", "--for", str(os.getpid()))
        finally:
            for each in self.started:
                each.poll()
