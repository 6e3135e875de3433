"""difyd as installed: its units under a real systemd, with a dockerd of their own, over a power-off.

One box for all cases, which follow one another as a machine's days do."""
import json
import os
import pathlib
import secrets
import shutil
import sys
import tempfile
import time
import unittest

import box
from box import sh, wait_until

BUILD = os.environ.get("DIFYD_BUILD", "")
BUNDLES = os.environ.get("DIFYD_BUNDLES_DIR", "")
VERSION = "1.11.4"
HEALTH = "http://127.0.0.1:9180"
DIFY = "http://127.0.0.1:80"
PROJECT = "label=com.docker.compose.project=dify"
# The services of docker-compose.yaml with the profiles that standalone.yaml leads to.
PROFILES = ["--profile", "weaviate", "--profile", "postgresql"]


def skip_unless_possible():
    missing = [program for program in ("systemd-nspawn", "mmdebstrap", "nsenter", "docker", "cmake", "objdump")
               if not shutil.which(program)]
    reason = (not os.environ.get("DIFYD_TEST_ALL") and "takes minutes; DIFYD_TEST_ALL=1 runs it"
              or os.geteuid() != 0 and "needs root"
              or missing and "not installed: " + ", ".join(missing)
              or not (os.environ.get("DIFYD_ENGINE_READY") and BUNDLES) and "no engine with the simulator's images")
    if reason:
        print("skipped: " + reason)
        sys.exit(77)


def measured(what, seconds):
    print(f"  measured: {what}: {seconds:.2f} s", file=sys.stderr, flush=True)


class Polling:
    """Asks /healthz and nginx's port ten times a second inside the box, as a unit that the box can stop.

    A line is the time, the code of /healthz, the code of nginx's port and what the page says there."""
    LOG = "/var/log/polling"
    LOOP = f"""#!/bin/bash
while :; do
  echo "$(date +%s.%N) $(curl -s -m 1 -o /dev/null -w '%{{http_code}}' {HEALTH}/healthz)" \\
    "$(curl -s -m 1 -o /run/page -w '%{{http_code}}' -H 'Accept: application/json' {DIFY}/) $(tr -d '\\n' </run/page)"
  sleep 0.1
done
"""

    def __init__(self, machine):
        self.machine = machine
        program = machine.root / "usr/local/bin/polling"
        program.write_text(self.LOOP)
        program.chmod(0o755)

    def __enter__(self):
        self.machine.run("systemd-run", "--quiet", "--unit=polling", f"--property=StandardOutput=truncate:{self.LOG}",
                         "/usr/local/bin/polling")
        return self

    def __exit__(self, *_):
        self.machine.tries("systemctl", "stop", "polling")

    def answers(self):
        """Whole lines only: the last one may be half written."""
        return [line.split(" ", 3) for line in (self.machine.root / self.LOG[1:]).read_text().split("\n")[:-1]]

    def between(self, begin, end):
        return [answer for answer in self.answers() if begin < float(answer[0]) < end]

    def failures(self):
        return [answer for answer in self.answers() if answer[1] != "200"]


class Systemd(unittest.TestCase):
    machine = installed = None

    @classmethod
    def setUpClass(cls):
        folder = cls.installed = tempfile.mkdtemp(prefix="difyd-install-")
        cls.addClassCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)  # it becomes the mode of / in the box
        sh("cmake", "--install", BUILD, env=dict(os.environ, DESTDIR=folder))
        programs = [path for path in pathlib.Path(folder).rglob("difyd*") if path.is_file() and os.access(path, os.X_OK)]
        cls.machine = box.Box(box.packages_of(programs))
        cls.addClassCleanup(cls.close)
        measured("first boot", cls.machine.boot())
        began = time.monotonic()
        cls.machine.load_images(cls.images(next(path for path in programs if path.name == "difyd")))
        measured("loading the images", time.monotonic() - began)
        cls.install(folder)

    @classmethod
    def close(cls):
        began = time.monotonic()
        cls.machine.close()
        measured("the end of the box", time.monotonic() - began)

    @staticmethod
    def images(difyd):
        folder = pathlib.Path(BUNDLES) / f"dify-{VERSION}" / "docker"
        model = sh(str(difyd), "compose", "--project-directory", str(folder), "--env-file", str(folder / ".env.example"),
                   *PROFILES, "config", "--format", "json")
        return sorted({service["image"] for service in json.loads(model)["services"].values()})

    @classmethod
    def install(cls, folder):
        """As README.md says it, on the running box."""
        root = cls.machine.root
        shutil.copytree(folder, root, dirs_exist_ok=True)
        shutil.copytree(pathlib.Path(BUNDLES) / f"dify-{VERSION}", root / f"var/lib/difyd/bundles/dify-{VERSION}")
        etc = root / "etc/difyd"
        etc.mkdir()
        shutil.copy(next((root / "usr").rglob("share/difyd/standalone.yaml")), etc / "difyd.yaml")
        for name in ("database.password", "redis.password", "secret-key"):
            with open(os.open(etc / name, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
                file.write(secrets.token_hex(16) + "\n")
        (root / "srv/dify").mkdir()
        cls.machine.run("systemctl", "daemon-reload")

    # What an operator sees

    def unit(self, name, unit="difyd"):
        return self.machine.run("systemctl", "show", "-P", name, unit).strip()

    def status(self):
        code, out, _ = self.machine.tries("difyd", "status", "--json")
        return json.loads(out) if code == 0 else {}

    def await_phase(self, phase, seconds=180):
        began = time.monotonic()
        try:
            wait_until("phase " + phase, lambda: self.status().get("phase") == phase, seconds)
        except AssertionError as error:
            log = self.machine.tries("journalctl", "-u", "difyd", "-n", "40", "--no-pager", "-o", "cat")[1]
            raise AssertionError(f"{error}\n{self.status()}\n{log}") from None
        return time.monotonic() - began

    def containers(self, running=True):
        """Service to what docker inspect says."""
        ids = self.machine.run("docker", "ps", "-q", *([] if running else ["-a"]), "--filter", PROJECT).split()
        found = json.loads(self.machine.run("docker", "inspect", *ids)) if ids else []
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    def identity(self):
        """A container that was restarted, too, is another one."""
        return {service: (one["Id"], one["State"]["StartedAt"]) for service, one in self.containers().items()}

    def healthz(self):
        return self.machine.tries("curl", "-s", "-m", "3", "-o", "/dev/null", "-w", "%{http_code}", HEALTH + "/healthz")[1]

    # The cases

    def test_1_the_first_start(self):
        began = time.monotonic()
        self.machine.run("systemctl", "enable", "--now", "difyd", "difyd-health")
        measured("systemctl enable --now", time.monotonic() - began)
        self.assertEqual([self.unit("ActiveState"), self.unit("ActiveState", "difyd-health")], ["active"] * 2)
        self.assertEqual(self.machine.run("stat", "-c", "%a %U %G %F", "/run/difyd", "/run/difyd/difyd.sock").splitlines(),
                         ["755 root root directory", "660 root docker socket"])
        self.assertEqual(self.machine.run("stat", "-c", "%a %U", "/var/lib/difyd").strip(), "750 root")
        self.assertNotEqual(self.status(), {})
        measured("the stack serves after", self.await_phase("serving"))
        wait_until("STATUS of systemd", lambda: self.unit("StatusText").startswith("serving"), 10)
        self.assertIn("Status: \"serving", self.machine.run("systemctl", "status", "--no-pager", "difyd"))
        self.assertEqual(self.healthz(), "200")
        code, out, err = self.machine.tries("difyd", "check")
        self.assertIn(code, (0, 1), out + err)
        for service, one in self.containers().items():
            self.assertIn(one["HostConfig"]["RestartPolicy"]["Name"], ("", "no"), service)
        self.assertEqual(self.unit("NRestarts"), "0")

    def test_2_a_restart_and_a_kill_leave_the_stack_alone(self):
        before = self.identity()
        self.assertIn("nginx", before)
        with Polling(self.machine) as polling:
            began = time.monotonic()
            self.machine.run("systemctl", "restart", "difyd")
            measured("systemctl restart", time.monotonic() - began)
            self.await_phase("serving")
            pid, killed = self.unit("MainPID"), time.time()
            self.machine.run("kill", "-KILL", pid)
            wait_until("another supervisor answers", lambda: self.unit("MainPID") not in ("0", pid) and self.status(), 20)
            back = time.time()
            measured("kill -9 until the next one answers", back - killed)
            self.await_phase("serving")
            self.assertNotEqual(polling.between(killed, back), [])
            self.assertEqual(polling.failures(), [])
        self.assertEqual(self.unit("NRestarts"), "1")
        self.assertEqual(self.identity(), before)

    def test_3_the_watchdog_replaces_a_supervisor_that_hangs(self):
        before = self.identity()
        drop_in = self.machine.root / "etc/systemd/system/difyd.service.d"
        drop_in.mkdir(parents=True)
        (drop_in / "test.conf").write_text("[Service]\nWatchdogSec=5s\n")
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "restart", "difyd")
        self.await_phase("serving")
        pid, began = self.unit("MainPID"), time.monotonic()
        with Polling(self.machine) as polling:
            self.machine.run("kill", "-STOP", pid)
            wait_until("another supervisor answers", lambda: self.unit("MainPID") not in ("0", pid) and self.status(), 70)
            measured("kill -STOP until the next one answers (WatchdogSec=5s)", time.monotonic() - began)
            self.await_phase("serving")
            self.assertEqual(polling.failures(), [])
        self.assertTrue(any("Watchdog timeout" in message for _, _, message in self.machine.journal("-u", "difyd")))
        self.assertEqual(self.identity(), before)
        shutil.rmtree(drop_in)
        self.machine.run("systemctl", "daemon-reload")

    def test_4_a_stop_is_quick_and_leaves_the_stack_running(self):
        before, began = self.identity(), time.monotonic()
        self.machine.run("systemctl", "stop", "difyd")
        took = time.monotonic() - began
        measured("systemctl stop", took)
        self.assertLess(took, 10)
        self.assertEqual(self.unit("Result"), "success")
        self.assertEqual(self.identity(), before)
        self.assertEqual(self.healthz(), "200")
        self.assertEqual(self.machine.tries("difyd", "status")[0], 3)
        self.machine.run("systemctl", "start", "difyd")
        self.await_phase("serving")
        self.assertEqual(self.identity(), before)

    def test_4b_an_upgrade_of_the_package_and_a_crash_loop(self):
        before, health = self.identity(), self.unit("MainPID", "difyd-health")
        with Polling(self.machine) as polling:
            # As dpkg does it: each file is replaced by rename, then units are read again and the daemon restarted.
            for path in (path for path in pathlib.Path(self.installed).rglob("*") if path.is_file()):
                place = self.machine.root / path.relative_to(self.installed)
                shutil.copy2(path, place.with_name(place.name + ".dpkg-new"))
                place.with_name(place.name + ".dpkg-new").rename(place)
            self.machine.run("systemctl", "daemon-reload")
            self.machine.run("systemctl", "restart", "difyd")
            self.await_phase("serving")
            for _ in range(3):
                pid = self.unit("MainPID")
                self.machine.run("kill", "-KILL", pid)
                wait_until("another supervisor", lambda: self.unit("MainPID") not in ("0", pid), 20)
            self.await_phase("serving")
            self.assertEqual(polling.failures(), [])
        self.assertEqual(self.identity(), before)
        self.assertEqual(self.unit("MainPID", "difyd-health"), health)
        # A user of its own, without rights, serves all that was published.
        for path, said in (("/status", '"phase":"serving"'), ("/metrics", "difyd_build_info"), ("/readyz", "serving")):
            # Published every two seconds.
            wait_until(f"{path} says {said}", lambda: said in self.machine.tries("curl", "-sf", HEALTH + path)[1], 20)
        page = self.machine.run("curl", "-sf", "-H", "Accept: text/html", HEALTH + "/status")
        self.assertIn("<h1>Dify " + VERSION, page)

    def test_5_the_page_of_a_stopped_stack_outlives_a_killed_supervisor(self):
        self.machine.run("difyd", "down", timeout=120)
        health = self.unit("MainPID", "difyd-health")
        # Who stops both may want the port: the page goes, and comes back.
        self.machine.run("systemctl", "restart", "difyd")
        with Polling(self.machine) as polling:
            wait_until("the page", lambda: any("Dify is stopped" in answer[-1] for answer in polling.answers()), 20)
            pid, killed = self.unit("MainPID"), time.time()
            self.machine.run("kill", "-KILL", pid)
            wait_until("another supervisor answers", lambda: self.unit("MainPID") not in ("0", pid) and self.status(), 20)
            back = time.time()
            self.await_phase("stopped")
            settled = time.time()
            wait_until("an answer after that", lambda: polling.between(settled, time.time()), 10)
            self.assertNotEqual(polling.between(killed, back), [])
            self.assertEqual([each for each in polling.between(killed, time.time()) if each[2] != "503"], [])
            self.assertIn("Dify is stopped", polling.answers()[-1][-1])
            self.assertEqual(polling.failures(), [])
        self.assertEqual(self.containers(), {})
        self.machine.run("difyd", "up", timeout=180)
        self.await_phase("serving")
        self.assertEqual(self.machine.run("curl", "-sf", DIFY + "/console/api/ping", timeout=10).strip()[:1], "{")
        self.assertEqual(self.unit("MainPID", "difyd-health"), health)

    def test_6_an_engine_that_hangs_is_restarted_by_difyd(self):
        before = self.containers()
        engine = self.unit("MainPID", "docker")
        with Polling(self.machine) as polling:
            began = time.monotonic()
            self.machine.run("kill", "-STOP", engine)
            wait_until("docker.service has another process", lambda: self.unit("MainPID", "docker") not in (engine, "0"), 300)
            measured("an engine that hangs is restarted after", time.monotonic() - began)
            wait_until("every container runs again", lambda: self.containers().keys() == before.keys(), 120)
            self.await_phase("serving")
            self.assertEqual(polling.failures(), [])
        self.assertIn("docker.service is restarted", self.machine.run("journalctl", "-u", "difyd", "--no-pager", "-o", "cat"))

    def test_6_an_engine_that_restarts_gets_its_containers_back(self):
        before = self.containers()
        pid = self.unit("MainPID")
        with Polling(self.machine) as polling:
            began = time.monotonic()
            self.machine.run("systemctl", "restart", "docker", timeout=120)
            measured("systemctl restart docker", time.monotonic() - began)
            wait_until("every container runs again", lambda: self.containers().keys() == before.keys(), 120)
            self.await_phase("serving")
            measured("  until the stack serves again", time.monotonic() - began)
            self.assertEqual(polling.failures(), [])
        self.assertEqual(self.unit("MainPID"), pid)

    def test_7_a_power_off_and_the_next_boot(self):
        self.power_cycle()

    def test_8_a_power_off_with_a_worker_that_is_deaf_to_sigterm(self):
        self.machine.run("kill", "-STOP", str(self.containers()["worker"]["State"]["Pid"]))
        self.power_cycle()

    def power_cycle(self):
        before = self.containers()
        took = self.machine.power_off()
        measured("power-off", took)
        self.assertLess(took, 80)
        self.check_that_everything_ended(before)
        measured("next boot", self.machine.boot())
        self.check_last_words()
        self.check_who_started(self.await_phase("serving"))

    def check_that_everything_ended(self, before):
        """From dockerd's own files, while the box is off: dependents ended before what they depend on."""
        ended = {}
        for service, one in before.items():
            written = self.machine.root / f"var/lib/docker/containers/{one['Id']}/config.v2.json"
            state = json.loads(written.read_text())["State"]
            self.assertFalse(state["Running"], f"{service} was running when dockerd ended")
            ended[service] = state["FinishedAt"]
        print("  ended:", ", ".join(f"{service} {ended[service][14:23]}" for service in sorted(ended, key=ended.get)),
              file=sys.stderr, flush=True)
        for service, one in before.items():
            labels = one["Config"]["Labels"].get("com.docker.compose.depends_on", "")
            for other in (part.split(":")[0] for part in labels.split(",") if part):
                if other in ended:
                    self.assertLessEqual(ended[service], ended[other], f"{service} depends on {other}")

    def check_last_words(self):
        last = self.machine.journal("-b", "-1", "-u", "difyd", "-u", "docker")

        def when(unit, text):
            found = [at for at, of, message in last if of == unit and message.startswith(text)]
            self.assertTrue(found, f"{unit} {text}: " + "\n".join(f"{at:.3f} {message}" for at, _, message in last[-60:]))
            return found[-1]
        stopping, stopped = when("difyd.service", "Stopping difyd"), when("difyd.service", "Stopped difyd")
        measured("  of which difyd", stopped - stopping)
        measured("  of which docker", when("docker.service", "Stopped") - when("docker.service", "Stopping"))
        self.assertLessEqual(stopped, when("docker.service", "Stopping"))

    def check_who_started(self, took):
        measured("the stack serves after", took)
        ready = self.machine.journal("-b", "-u", "difyd")[0][0]
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ready))
        running = self.containers()
        self.assertIn("nginx", running)
        for service, one in running.items():
            self.assertGreaterEqual(one["State"]["StartedAt"], stamp, f"{service} was started before difyd was")
        self.assertEqual(self.healthz(), "200")


if __name__ == "__main__":
    skip_unless_possible()
    unittest.main(failfast=True)
