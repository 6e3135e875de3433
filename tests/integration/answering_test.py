"""What is answered about a running stack: status, metrics, the page in an upgrade, the operator's maintenance, a report;
and all of it while the supervisor is killed, stopped and crashes again and again."""
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import tarfile
import threading
import time
import unittest

import machine
from machine import BIN, Machine, get, wait_until

machine.need_engine()
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


def ask(port, path, **headers):
    """Status, headers and body; status 0 where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    except OSError:
        return 0, {}, ""
    finally:
        connection.close()


def page(port):
    """What the maintenance page tells programs; None where it is not up."""
    status, _, body = ask(port, "/", Accept="application/json")
    try:
        return json.loads(body) if status == 503 and '"code":"maintenance"' in body else None
    except ValueError:
        return None


def metrics(port):
    """Samples by name and labels, as a parser of Prometheus' own reads them; None without it."""
    sys.path.append("/usr/lib/python3/dist-packages")  # where Debian has it, whatever Python this is
    try:
        from prometheus_client.parser import text_string_to_metric_families as parse
    except ImportError:
        return None
    finally:
        sys.path.pop()
    samples = {}
    for family in parse(ask(port, "/metrics")[2]):
        for each in family.samples:
            key = (each.name, *sorted(each.labels.values()))
            if key in samples:
                raise AssertionError(f"{key} is there twice")
            samples[key] = each.value
    return samples


class Polling(threading.Thread):
    """Asks /healthz fifty times a second, on a connection of its own each time."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.times, self.wrong = port, [], []
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.wait(0.02):
            began = time.monotonic()
            status = get(self.port, "/healthz")[0]
            self.times.append(time.monotonic() - began)
            if status != 200:
                self.wrong.append((status, time.time()))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.join(10)


class Answering(unittest.TestCase):
    """The tests go on from each other, in the order of their names."""

    @classmethod
    def setUpClass(cls):
        cls.m = Machine("1.11.4")
        cls.addClassCleanup(cls.m.close)
        cls.m.override("SIMULATOR_MIGRATION_SECONDS", '"4"')
        # As the unit does it: a process of its own.
        with open(cls.m.folder / "health.log", "w") as log:
            cls.health = subprocess.Popen(
                [BIN / "difyd-health", "--listen", f"127.0.0.1:{cls.m.health}", "--verdict", cls.m.folder / "run/verdict.json"],
                stdout=log, stderr=log)
        cls.addClassCleanup(cls.end_health)
        cls.serve()
        cls.m.await_phase("serving")

    @classmethod
    def end_health(cls):
        cls.health.terminate()
        cls.health.wait(10)

    @classmethod
    def serve(cls):
        cls.m.serve(options=())

    def nginx_runs(self):
        return self.m.containers().get(f"{self.m.project}-nginx-1") == "running"

    def test_1_status_and_metrics(self):
        m = self.m
        wait_until("a status of the serving stack", lambda: '"phase":"serving"' in ask(m.health, "/status")[2], 30)
        wait_until("a page of it", lambda: "serving" in ask(m.health, "/status", Accept=BROWSER)[2], 30)
        wait_until("metrics of it", lambda: 'difyd_phase{phase="serving"} 1' in ask(m.health, "/metrics")[2], 30)
        status = json.loads(ask(m.health, "/status")[2])
        self.assertLess(status["verdict_age_seconds"], 30)
        self.assertEqual({each["service"] for each in status["services"]} & {"api", "nginx"}, {"api", "nginx"})
        self.assertEqual([each["to"] for each in status["history"]], ["1.11.4"])
        code, headers, text = ask(m.health, "/status", Accept=BROWSER)
        self.assertEqual((code, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        for part in ("Dify 1.11.4", "serving", "worker_beat", "backup-none", "as of "):
            self.assertIn(part, text)
        password = pathlib.Path(m.postgres["DIFYD_POSTGRES_PASSWORD_FILE"]).read_text().strip()
        told = text + json.dumps(status) + ask(m.health, "/metrics")[2]
        self.assertNotIn(password, told)
        for name in ("verdict.json", "status.json", "status.html", "metrics.prom"):
            self.assertEqual((m.folder / "run" / name).stat().st_mode & 0o777, 0o644)
        samples = metrics(m.health)
        if samples is None:
            self.skipTest("no python3-prometheus-client")
        self.assertEqual(samples["difyd_phase", "serving"], 1)
        self.assertEqual(samples["difyd_service_ready", "api"], 1)
        self.assertEqual(samples["difyd_dify_info", "1.11.4", "1.11.4", "905527cc8fd3", m.project], 1)
        self.assertEqual(samples["difyd_lease_held",], 1)
        self.assertEqual(samples["difyd_history_upgrades", "done"], 1)
        self.assertGreater(samples["difyd_probe_duration_seconds", "storage"], 0)  # the engine's takes less than 1 ms
        self.assertEqual(samples["difyd_finding", "backup", "backup-none", "warning"], 1)
        self.assertLess(len(samples), 200)

    def test_2_what_dies_is_counted(self):
        if metrics(self.m.health) is None:
            self.skipTest("no python3-prometheus-client")
        self.m.docker("kill", f"{self.m.project}-worker-1")
        wait_until("the restart is counted",
                   lambda: metrics(self.m.health).get(("difyd_service_restarts_total", "worker"), 0) >= 1, 30)

    def test_3_maintenance_keeps_visitors_out_and_dify_running(self):
        m = self.m
        code, out, err = m.difyd("maintenance", "on", "--reason", "New disks <until> 5 o'clock")
        self.assertEqual(code, 0, out + err)
        said = wait_until("the page", lambda: page(m.http), 30)
        self.assertEqual((said["message"], said["reason"]), ("Dify is down for maintenance", "New disks <until> 5 o'clock"))
        self.assertIn("New disks &lt;until&gt;", ask(m.http, "/", Accept=BROWSER, Accept_Language="ja")[2])
        wait_until("readyz", lambda: get(m.health, "/readyz")[0] == 503, 30)
        self.assertEqual(get(m.health, "/healthz")[0], 200)
        self.assertFalse(self.nginx_runs())
        self.assertIn("maintenance-on", m.findings())
        self.assertEqual(m.status()["phase"], "serving")
        code, out, _ = m.difyd("maintenance")
        self.assertEqual(code, 0)
        self.assertIn("New disks", out)
        # What dies behind it is healed, and nginx stays where it is.
        m.docker("rm", "-f", f"{m.project}-web-1")
        wait_until("web is there again", lambda: m.containers().get(f"{m.project}-web-1") == "running", 30)
        self.assertFalse(self.nginx_runs())
        for words in (["upgrade", "1.12.1"], ["restart", "nginx"], ["repin", "1.11.4"]):
            code, out, err = m.difyd(*words)
            self.assertIn(code, (1, 4), f"{words} {out} {err}")
            self.assertIn("maintenance is on", err)
        self.assertEqual(m.difyd("restart", "web")[0], 0)
        self.assertEqual(m.difyd("restart")[0], 0)  # all that runs
        self.assertFalse(self.nginx_runs())

    def test_4_maintenance_survives_a_restart_and_a_kill(self):
        m = self.m
        for how in (signal.SIGTERM, signal.SIGKILL):
            m.stop_daemon(how)
            self.assertIsNotNone(page(m.http), "difyd-health goes on")
            self.serve()
            m.await_phase("serving")
            self.assertEqual(page(m.http)["reason"], "New disks <until> 5 o'clock")
            self.assertFalse(self.nginx_runs())
        code, out, err = m.difyd("maintenance", "off")
        self.assertEqual(code, 0, out + err)
        self.assertEqual(get(m.http, "/console/api/ping")[0], 200)
        wait_until("readyz", lambda: get(m.health, "/readyz")[0] == 200, 30)
        self.assertIn("maintenance is off", m.difyd("maintenance")[1])
        self.assertEqual(m.difyd("maintenance", "off")[0], 0)
        self.assertEqual(m.difyd("maintenance", "on", "--reason", "x" * 501)[0], 2)

    def test_5_the_answers_outlive_the_supervisor(self):
        """Killed, stopped, restarted, crashing again and again: a checker sees none of it."""
        m = self.m
        with Polling(m.health) as polling:
            m.stop_daemon(signal.SIGKILL)
            self.assertEqual(get(m.health, "/readyz")[0], 200)
            self.assertIn('"phase":"serving"', ask(m.health, "/status")[2])
            for _ in range(3):  # a crash loop
                self.serve()
                m.stop_daemon(signal.SIGKILL)
            self.serve()
            m.await_phase("serving")
            supervisor = m.daemon.pid
            os.kill(supervisor, signal.SIGSTOP)
            try:
                wait_until("the age of a verdict that is served on", self.is_stale, 40)
                self.assertEqual(get(m.health, "/readyz")[0], 200)
                self.assertIn("difyd has not said anything for", ask(m.health, "/status", Accept=BROWSER)[2])
            finally:
                os.kill(supervisor, signal.SIGCONT)
            wait_until("a fresh verdict", lambda: not self.is_stale(), 60)
            m.stop_daemon()
            self.serve()
            m.await_phase("serving")
        self.assertEqual(polling.wrong, [])
        times = sorted(polling.times)
        late = sum(1 for each in times if each > 0.05)
        print(f"  {len(times)} answers, median {times[len(times) // 2] * 1000:.1f} ms, slowest {times[-1] * 1000:.1f} ms, "
              f"{late} above 50 ms", file=sys.stderr)
        # Other tests have the processors, too: the figures are for people.
        self.assertLess(times[len(times) * 9 // 10], 0.5)

    def is_stale(self):
        return int(ask(self.m.health, "/healthz")[1].get("Difyd-Verdict-Age", "0")) > 11

    def test_6_the_page_shows_the_steps_of_an_upgrade(self):
        m = self.m
        own = m.folder / "own.html"
        self.assertEqual(m.difyd("upgrade", "--no-wait", "1.12.7")[0], 0)
        code, _, err = m.difyd("maintenance", "on")
        self.assertEqual(code, 4, err)
        steps, pages, running = {}, set(), []
        while m.status()["operation"]["result"] == "":
            if said := page(m.http):
                steps.setdefault(said.get("step"), []).append(said.get("step_seconds", -1))
                pages.add(ask(m.http, "/", Accept=BROWSER)[2])
                if samples := metrics(m.health):
                    running += [key[1] for key, value in samples.items() if key[0] == "difyd_upgrade_step" and value]
            time.sleep(0.05)
        self.assertEqual(m.status()["operation"]["result"], "done")
        self.assertLessEqual({"migrate", "start"}, set(steps), "the steps that the page showed")
        self.assertTrue(all(each >= 0 for each in steps["migrate"] + steps["start"]))
        shown = [words for words in ("Migrating the database", "Starting the new version")
                 if any(f'<li class="now"><i></i><span>{words}' in text for text in pages)]
        self.assertEqual(len(shown), 2)
        wait_until("the status of after it", lambda: "1.11.4 to 1.12.7" in ask(m.health, "/status", Accept=BROWSER)[2], 30)
        if metrics(m.health) is not None:
            self.assertIn("migrate", running)
            def over(found):
                return found.get(("difyd_history_upgrades", "done")) == 2 and found["difyd_upgrade_running",] == 0 and found
            samples = wait_until("the upgrade is over, and in the history", lambda: over(metrics(m.health)), 30)
            self.assertGreater(samples["difyd_last_upgrade_downtime_seconds",], 0)
            self.assertGreater(samples["difyd_upgrade_step_duration_seconds", "migrate"], 0)
        # The operator's own page, from the next start on.
        own.write_text("<h1>Back at noon</h1>")
        m.config.write_text(m.config.read_text() + f"maintenance: {{page_file: {own}}}\n")
        m.stop_daemon()
        self.serve()
        m.await_phase("serving")
        self.assertEqual(m.difyd("down")[0], 0)
        wait_until("the operator's page", lambda: ask(m.http, "/", Accept=BROWSER)[2] == "<h1>Back at noon</h1>", 20)
        self.assertEqual(page(m.http)["message"], "Dify is stopped")

    def test_7_a_report_has_no_secret_in_it(self):
        m = self.m
        self.assertEqual(m.difyd("up")[0], 0)
        # Beside: a release that does not know this schema is refused while Dify serves.
        before = m.containers()
        code, _, err = m.difyd("upgrade", "1.13.0")
        self.assertEqual((code, "does not know the database's revision 5e1207000001" in err, m.containers()), (4, True, before), err)
        archive = m.folder / "report.tar.gz"
        code, out, err = m.difyd("report", "--output", str(archive))
        self.assertEqual(code, 0, out + err)
        self.assertEqual(archive.stat().st_mode & 0o777, 0o600)
        with tarfile.open(archive) as tar:
            files = {each.name.removeprefix("report/"): tar.extractfile(each).read().decode(errors="replace")
                     for each in tar.getmembers()}
        api = f"{m.project}-api-1"
        self.assertLessEqual({f"containers/{api}.json", f"containers/{api}.log", "daemon/status.json", "daemon/checks.json",
                              "daemon/newest-migration.log", "configuration/in-force.yaml", "engine/version.json"}, set(files))
        environment = dict(line.split("=", 1) for line in json.loads(
            m.docker("inspect", "-f", "{{json .Config.Env}}", api)))
        secrets = {environment[name] for name in ("DB_PASSWORD", "SECRET_KEY", "REDIS_PASSWORD", "PLUGIN_DAEMON_KEY")}
        self.assertGreaterEqual(min(map(len, secrets)), 4)
        for name, text in files.items():
            for secret in secrets:
                self.assertNotIn(secret, text, name)
        self.assertIn("DB_PASSWORD=(redacted)", files[f"containers/{api}.json"])
        self.assertIn("CONSOLE_WEB_URL", files[f"containers/{api}.json"])


if __name__ == "__main__":
    unittest.main(failfast=True)
