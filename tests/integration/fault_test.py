"""What difyd stands on is taken away and given back: the verdicts meanwhile, /healthz within 50 ms throughout, an
end within 5 s, and everything well again by itself. The quick ones; the rest with DIFYD_TEST_ALL=1."""
import datetime
import json
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

import machine
from machine import Machine, get, slow, wait_until
from own_engine import OwnEngine

machine.need_engine()

SETTINGS = """upgrade: {drain_grace: 0s, start_timeout: 60s}
health: {probe_interval: 1s}
"""


class Watch:
    """Asks /healthz all the time. The slowest answer is that of a machine that others load as well, so a single
    one may be late; nine of ten may not."""

    def __init__(self, port):
        self.port, self.times, self.codes, self.ready = port, [], set(), []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.wait(0.02):
            begun = time.monotonic()
            code = get(self.port, "/healthz")[0]
            self.times.append(time.monotonic() - begun)
            self.codes.add(code)
            ready = get(self.port, "/readyz")[0]
            if not self.ready or self.ready[-1] != ready:
                self.ready.append(ready)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def slowest(self, share=0.9):
        return sorted(self.times)[int(len(self.times) * share)]


class Events:
    """What the daemon has told since the block began, in its own words and times."""

    def __init__(self, control, seconds=60):
        self.begun = time.time()
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(seconds)
        self.link.connect(str(control))
        # All that it keeps: whoever asks from now on may be heard only after what he waits for.
        self.link.sendall(b"GET /v1/events?since=0 HTTP/1.0\r\nHost: difyd\r\n\r\n")
        self.lines = self.link.makefile()

    def await_one(self, wanted):
        """The event, and its time as Unix time."""
        for line in self.lines:
            if not line.startswith("{"):
                continue
            event = json.loads(line)
            at = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()
            if at >= self.begun - 0.001 and wanted(event):
                return event, at
        raise AssertionError("the events ended")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.link.close()


class Base:
    """What every kind of fault has in common; `m` is the class's machine."""

    def setUp(self):
        if self.m.daemon is None:
            self.m.serve()
        self.m.await_phase("serving")
        wait_until("all is well", lambda: get(self.m.health, "/readyz")[0] == 200, 60)

    def code_of(self, subject):
        for each in self.m.status()["findings"]:
            if each["subject"] == subject:
                return each["code"], each["severity"]
        return "", "ok"

    def fault(self, begin, end, subject, codes, ready=503):
        """The fault, its finding, and the way back; the verdicts throughout. `ready`: of /readyz meanwhile."""
        with Watch(self.m.health) as watch:
            begin()
            try:
                wait_until(f"{subject} is one of {codes}", lambda: self.code_of(subject)[0] in codes
                           and self.code_of(subject)[1] in ("error", "critical"), 60)
                wait_until(f"readyz is {ready}", lambda: get(self.m.health, "/readyz")[0] == ready, 30)
                found = next(each for each in self.m.status()["findings"] if each["subject"] == subject)
                self.assertTrue(found["remedy"], found)
            finally:
                end()
            wait_until("readyz is 200 again", lambda: get(self.m.health, "/readyz")[0] == 200, 120)
            self.m.await_phase("serving")
        self.assertEqual(watch.codes, {200})
        self.assertLess(watch.slowest(), 0.25)  # other tests have the processors, too
        print(f"{subject}: {len(watch.times)} answers of /healthz, nine of ten within {watch.slowest() * 1000:.1f} ms, "
              f"the slowest {watch.slowest(0.9999) * 1000:.1f} ms; readyz {watch.ready}", flush=True)

    def end_within(self, seconds=5):
        begun = time.monotonic()
        self.m.stop_daemon(seconds=20)
        took = time.monotonic() - begun
        print(f"  ended within {took:.1f} s", flush=True)
        self.assertLess(took, seconds)


class Faults(Base, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.m = Machine("1.11.4", settings=SETTINGS)
        cls.addClassCleanup(cls.m.close)
        cls.m.serve().await_phase("serving")
        wait_until("readyz", lambda: get(cls.m.health, "/readyz")[0] == 200, 30)

    def holding(self):
        """Asked of the socket: the command reads the configuration that is not valid."""
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.m.folder / "run/difyd.sock"))
            link.sendall(b"GET /v1/status HTTP/1.0\r\nHost: difyd\r\n\r\n")
            status = json.loads(link.makefile().read().split("\r\n\r\n")[-1].split("\n\n")[-1])
        return status if status["phase"] == "holding" else None

    def pause(self):
        def paused():
            return not subprocess.run(["docker", "pause", self.m.postgres["DIFYD_POSTGRES_CONTAINER"]], check=False,
                                      capture_output=True).returncode
        # The kernel may need more than the engine's patience to freeze a busy container.
        wait_until("PostgreSQL is frozen", paused, 30)

    def unpause(self):
        self.m.docker("unpause", self.m.postgres["DIFYD_POSTGRES_CONTAINER"])

    def test_postgresql_frozen(self):
        self.fault(self.pause, self.unpause, "database.main", {"database-silent", "database-unreachable"})

    def test_postgresql_frozen_and_the_daemon_ends(self):
        self.pause()
        try:
            wait_until("it is seen", lambda: self.code_of("database.main")[1] == "error", 60)
            self.end_within()
        finally:
            self.unpause()
        self.m.serve().await_phase("serving")

    def test_a_command_takes_the_place_of_one_that_waits_for_the_database(self):
        self.m.stop_daemon()
        self.pause()
        try:
            self.m.serve()
            up = subprocess.Popen([machine.BIN / "difyd", "--config", self.m.config, "up"], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.addCleanup(up.kill)
            # The first line tells what it waits for.
            self.assertIn("waiting", up.stdout.readline())
            code, out, err = self.m.difyd("down")
            self.assertEqual(code, 0, out + err)
            out, err = up.communicate(timeout=30)
            self.assertEqual(up.returncode, 4, out + err)
            self.assertIn("another command took its place", err)
        finally:
            self.unpause()
        self.assertEqual(self.m.difyd("up")[0], 0)
        self.m.await_phase("serving")

    @slow
    def test_postgresql_stopped(self):
        container = self.m.postgres["DIFYD_POSTGRES_CONTAINER"]
        self.fault(lambda: self.m.docker("stop", "-t", "5", container), lambda: self.m.docker("start", container),
                   "database.main", {"database-refused", "database-silent", "database-unreachable"})

    @slow
    def test_postgresql_read_only(self):
        def write(value):
            self.m.sql(f"alter role dify set default_transaction_read_only = {value}")
            self.m.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'dify'"
                       " and application_name = 'difyd'")
        self.fault(lambda: write("on"), lambda: write("off"), "database.main", {"database-read-only"})

    @slow
    def test_postgresql_refuses_the_password(self):
        def log_in(word):
            self.m.sql(f"alter role dify {word}")
            self.m.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'dify'"
                       " and application_name = 'difyd'")
        self.fault(lambda: log_in("nologin"), lambda: log_in("login"), "database.main", {"database-auth"})

    def notice(self, service):
        """From its death to the event that says so."""
        pid = self.pid_of(service)
        with Events(self.m.folder / "run/difyd.sock") as events:
            begun = time.time()  # docker kill itself takes its time
            os.kill(pid, signal.SIGKILL)
            event, seen = events.await_one(lambda e: e["subject"] == service and e["state"] == "died")
            # What dies while another is brought back is seen once that is done.
            events.await_one(lambda e: e["kind"] == "result" and e["subject"] == "heal")
        self.assertIn("ended with 137", event["text"])
        return seen - begun

    @slow
    def test_a_dead_service_is_noticed_at_once(self):
        # Looking would take half a minute; the engine's event does not, on a machine that others load.
        times = [self.notice(service) for service in ("worker", "web", "worker_beat")]
        print("a dead container is noticed after", ", ".join(f"{took * 1000:.0f} ms" for took in times), flush=True)
        self.assertLess(min(times), 1)
        wait_until("it runs again", lambda: self.m.containers()[f"{self.m.project}-worker-1"] == "running", 60)

    @slow
    def test_a_service_that_crash_loops_is_called_broken_and_comes_back(self):
        name = f"{self.m.project}-worker_beat-1"
        end = time.monotonic() + 120
        while "service-crash-looping" not in self.m.findings():
            if self.m.containers().get(name) == "running":
                self.m.docker("kill", name)
            self.assertLess(time.monotonic(), end, "it was never called broken")
            time.sleep(0.1)
        self.assertEqual(get(self.m.health, "/healthz")[0], 200)
        wait_until("readyz says so", lambda: get(self.m.health, "/readyz")[0] == 503, 30)
        self.m.docker("start", name)
        wait_until("it stays up", lambda: get(self.m.health, "/readyz")[0] == 200, 330)

    def pid_of(self, service):
        return int(self.m.docker("inspect", "-f", "{{.State.Pid}}", f"{self.m.project}-{service}-1"))

    def started_at(self, service):
        return self.m.docker("inspect", "-f", "{{.State.StartedAt}}", f"{self.m.project}-{service}-1").strip()

    @slow
    def test_a_service_that_hangs_grows_unhealthy_and_is_restarted(self):
        before = self.started_at("redis")
        with Watch(self.m.health) as watch, Events(self.m.folder / "run/difyd.sock", 300) as events:
            os.kill(self.pid_of("redis"), signal.SIGSTOP)
            wait_until("Redis is silent", lambda: self.code_of("redis")[0] == "redis-silent", 60)
            event, _ = events.await_one(lambda e: e["subject"] == "redis" and e["state"] == "unhealthy")
            print(event["text"], flush=True)
            wait_until("it was restarted", lambda: self.started_at("redis") != before, 60)
            wait_until("readyz is 200 again", lambda: get(self.m.health, "/readyz")[0] == 200, 120)
        self.assertEqual(watch.codes, {200})
        self.assertLess(watch.slowest(), 0.25)

    @slow
    def test_a_service_that_runs_out_of_memory_is_told_so_and_is_started_again(self):
        name = f"{self.m.project}-web-1"
        self.m.docker("update", "--memory", "200m", "--memory-swap", "200m", name)
        self.addCleanup(self.m.docker, "update", "--memory", "2g", "--memory-swap", "2g", name)
        before = self.started_at("web")
        with Watch(self.m.health) as watch, Events(self.m.folder / "run/difyd.sock") as events:
            # The kernel takes the container's first process, not the one that asks for too much.
            hog = subprocess.Popen(["docker", "exec", name, "sh", "-c",
                                    "echo 1000 >/proc/1/oom_score_adj; head -c 400m /dev/zero | tail"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            event, _ = events.await_one(lambda e: e["subject"] == "web" and e["state"] == "died")
            self.assertIn("ended with 137 for want of memory", event["text"])
            wait_until("it was started again", lambda: self.started_at("web") != before, 60)
            hog.wait(30)
            wait_until("readyz is 200 again", lambda: get(self.m.health, "/readyz")[0] == 200, 120)
        self.assertEqual(watch.codes, {200})

    def test_the_env_file_edited_by_hand_is_told(self):
        env = next((self.m.folder / "var/releases").glob("dify-*/docker/.env"))
        was = env.read_text()
        self.addCleanup(env.write_text, was)
        env.write_text(was + "\nEDITED_BY_HAND=secret-value\n")
        found = wait_until("it is told", lambda: self.m.findings().get("env-edited"), 60)
        self.assertIn("EDITED_BY_HAND", found["detail"])
        self.assertNotIn("secret-value", json.dumps(found))

    def test_a_container_that_is_nobodys_is_told(self):
        name = f"{self.m.project}-mystery-1"
        self.m.docker("run", "-d", "--name", name, "--label", f"com.docker.compose.project={self.m.project}",
                      "--label", "com.docker.compose.service=mystery", "busybox", "sleep", "600")
        self.addCleanup(self.m.docker, "rm", "-f", name)
        found = wait_until("it is told", lambda: self.m.findings().get("containers-foreign"), 90)
        self.assertIn(name, found["detail"])

    def check_of(self, subjects):
        """What the command gives, once it tells of all of them."""
        answer = self.m.difyd("check", "--json")
        return subjects <= {each["subject"] for each in json.loads(answer[1])["findings"]} and answer

    def test_check_shows_every_probe_with_and_without_the_daemon(self):
        subjects = {"storage", "disk.boot", "memory", "clock", "engine", "database.main", "redis", "service.api",
                    "service.nginx", "stack", "port.api", "port.web", "api", "setup", "environment"}
        for _ in range(2):
            # Redis is not asked before its own health check has been made for the first time.
            code, out, err = wait_until("every probe", lambda: self.check_of(subjects), 60)
            found = json.loads(out)["findings"]
            self.assertIn(code, (0, 1), out + err)
            for each in found:
                if each["severity"] in ("warning", "error", "critical"):
                    self.assertTrue(each["remedy"], each)
            self.m.stop_daemon()

    def test_check_without_the_daemon_knows_what_is_down_on_purpose(self):
        self.addCleanup(lambda: self.assertEqual(self.m.difyd("up")[0], 0))
        self.m.difyd("maintenance", "on")
        self.m.stop_daemon()
        found = {each["subject"]: each for each in json.loads(self.m.difyd("check", "--json")[1])["findings"]}
        self.assertEqual(found["maintenance"]["code"], "maintenance-on")
        self.assertEqual(found["service.api"]["code"], "service-ok")
        self.assertFalse({"service.nginx", "port.api", "port.web"} & set(found), found)
        self.m.serve().await_phase("serving")
        self.assertEqual(self.m.difyd("maintenance", "off")[0], 0)
        self.assertEqual(self.m.difyd("down")[0], 0)
        self.m.stop_daemon()
        code, out, err = self.m.difyd("check", "--json")
        self.assertIn(code, (0, 1), out + err)
        told = {each["subject"] for each in json.loads(out)["findings"]}
        self.assertFalse([each for each in told if each.startswith(("service.", "port."))], told)
        self.m.serve()

    def test_an_invalid_configuration_holds_on_the_last_good_one(self):
        self.m.stop_daemon()
        was = self.m.config.read_text()
        self.addCleanup(self.m.config.write_text, was)
        self.m.config.write_text(was + "no_such_key: 1\n")
        self.m.daemon = subprocess.Popen([machine.BIN / "difyd-supervisor", "--config", self.m.config, "--with-health"],
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_until("it answers", lambda: get(self.m.health, "/healthz")[0] == 200, 30)
        status = wait_until("it holds", self.holding, 60)
        self.assertIn("no_such_key", status["message"])
        self.assertEqual(get(self.m.http, "/console/api/ping")[0], 200)
        self.m.stop_daemon()
        self.m.config.write_text(was)
        self.m.serve().await_phase("serving")


@slow
class Engine(Base, unittest.TestCase):
    """The stack on an engine of the test's own, the database elsewhere."""

    @classmethod
    def setUpClass(cls):
        cls.engine = OwnEngine("faults")
        cls.addClassCleanup(cls.engine.close)
        cls.m = Machine("1.11.4", settings=SETTINGS, engine=cls.engine.host)
        cls.addClassCleanup(cls.m.close)
        cls.m.serve().await_phase("serving")

    def test_dockerd_frozen(self):
        # Dify itself goes on, and visitors are served.
        self.fault(self.engine.freeze, self.engine.thaw, "engine", {"engine-away"}, ready=200)

    def test_dockerd_frozen_and_the_daemon_ends(self):
        self.engine.freeze()
        try:
            wait_until("it is seen", lambda: self.code_of("engine")[0] == "engine-away", 90)
            self.end_within()
        finally:
            self.engine.thaw()
        self.m.serve().await_phase("serving")

    def test_dockerd_killed(self):
        command = []
        self.fault(lambda: command.extend(self.engine.kill()),
                   lambda: self.engine.start(command, self.m.folder / "dockerd.log"), "engine", {"engine-away"}, ready=200)


if __name__ == "__main__":
    unittest.main()
