"""Starts difyd-health for real and looks at its answers while the verdict file changes."""
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from ports import free_port  # noqa: E402

PROGRAM = sys.argv.pop(1)
DEADLINE = 10


def wait_for(condition, what):
    """The condition's first true value; a test fails with the last false one."""
    end = time.monotonic() + DEADLINE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"never came true: {what} (last: {value!r})")
        time.sleep(0.01)


def verdict(**changes):
    return {"healthz": "ok", "readyz": "ok", "row": 7, "reason": "serving", "phase": "serving",
            "judged_ms": 1, "published_boot_ms": int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000)} | changes


class Health(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="difyd-health-")
        self.addCleanup(self.folder.cleanup)
        self.file = os.path.join(self.folder.name, "verdict.json")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.notify.close)
        self.notify.settimeout(DEADLINE)
        self.notify.bind(os.path.join(self.folder.name, "notify"))
        self.process = None

    def start(self, *options):
        self.process = subprocess.Popen(
            [PROGRAM, "--listen", "127.0.0.1:0", "--verdict", self.file, *options], stderr=subprocess.PIPE, text=True,
            env=os.environ | {"NOTIFY_SOCKET": os.path.join(self.folder.name, "notify")})
        self.addCleanup(self.end)
        self.port = int(re.search(r"answering on 127.0.0.1:(\d+)", self.process.stderr.readline()).group(1))

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(DEADLINE)
            finally:
                self.process.kill()
        self.process.stderr.close()

    def publish(self, **changes):
        with open(self.file + ".new", "w") as out:
            json.dump(verdict(**changes), out)
        os.rename(self.file + ".new", self.file)

    def ask(self, path, method="GET", port=None, headers={}):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=DEADLINE)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            connection.close()

    def both(self):
        return self.ask("/healthz")[0], self.ask("/readyz")[0]

    def try_ask(self, path, port, **options):
        try:
            return self.ask(path, port=port, **options)
        except OSError:
            return None

    def raw(self, data):
        with socket.create_connection(("127.0.0.1", self.port), DEADLINE) as link:
            link.sendall(data)
            link.shutdown(socket.SHUT_WR)
            answer = b""
            try:
                while piece := link.recv(65536):
                    answer += piece
            except ConnectionResetError:
                pass
            return answer

    def test_before_anything_is_published(self):
        self.start()
        self.assertEqual(self.notify.recv(100), b"READY=1")
        self.assertEqual(self.both(), (200, 503))
        self.assertEqual(self.ask("/healthz")[1]["Difyd-Verdict-Age"], "none")
        self.assertIn("difyd_verdict_published 0", self.ask("/metrics")[2])

    def test_answers_follow_the_file(self):
        self.publish(readyz="unavailable", phase="starting", row=5)
        self.start()
        self.assertEqual(self.both(), (200, 503))
        self.publish()
        wait_for(lambda: self.both() == (200, 200), "serving")
        self.publish(healthz="unavailable", readyz="unavailable", row=3, reason="disk.boot has failed for good")
        wait_for(lambda: self.both() == (503, 503), "replace me")
        self.assertEqual(self.ask("/healthz")[2], "disk.boot has failed for good\n")
        self.publish(readyz="maintenance", phase="upgrading", readyz_in_maintenance=200)
        wait_for(lambda: self.both() == (200, 200), "maintenance shown through the load balancer")
        self.assertIn('difyd_phase{phase="upgrading"} 1', self.ask("/metrics")[2])

    def test_a_change_is_seen_quickly(self):
        self.publish()
        self.start()
        self.publish(readyz="unavailable")
        began = time.monotonic()
        wait_for(lambda: self.both() == (200, 503), "unavailable")
        self.assertLess(time.monotonic() - began, 5)

    def test_an_old_broken_or_missing_file_costs_nothing(self):
        self.publish(published_boot_ms=0)
        self.start()
        self.assertEqual(self.both(), (200, 200))
        age = int(self.ask("/readyz")[1]["Difyd-Verdict-Age"])
        self.assertGreaterEqual(age, int(time.clock_gettime(time.CLOCK_BOOTTIME)) - 1)
        with open(self.file, "w") as out:
            out.write("{ not json")
        wait_for(lambda: "cannot read the published verdict" in self.process.stderr.readline(), "the complaint")
        self.assertEqual(self.both(), (200, 200))
        os.unlink(self.file)
        self.assertEqual(self.both(), (200, 200))
        self.publish(readyz="unavailable")
        wait_for(lambda: self.both() == (200, 503), "the next verdict")

    def test_methods_and_paths(self):
        self.publish()
        self.start()
        status, headers, body = self.ask("/healthz", "HEAD")
        self.assertEqual((status, body), (200, ""))
        self.assertEqual(headers["Content-Length"], "3")
        self.assertEqual(self.ask("/healthz?from=probe")[0], 200)
        for path in ("/", "/status/", "/healthz/", "/nothing"):
            self.assertEqual(self.ask(path)[0], 404, path)
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            status, headers, _ = self.ask("/healthz", method)
            self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"), method)
        self.assertEqual(self.ask("/readyz")[1]["Cache-Control"], "no-store")

    def test_keep_alive_and_pipelining(self):
        self.publish()
        self.start()
        one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        self.assertEqual(self.raw(one * 3).count(b"HTTP/1.1 200"), 3)

    def test_malformed_requests_disturb_nobody(self):
        self.publish()
        self.start()
        for data in (b"\x00\xff garbage\r\n\r\n", b"GET\r\n\r\n", b"GET /healthz HTTP/9.9\r\n\r\n", b"",
                     b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n",
                     b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"b" * 20000 + b"\r\n\r\n",
                     b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"):
            answer = self.raw(data)
            self.assertTrue(answer == b"" or answer[9:10] == b"4" or answer[9:10] == b"5", answer[:60])
            self.assertEqual(self.ask("/healthz")[0], 200)

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path + ".new", "w") as out:
            out.write(text)
        os.rename(path + ".new", path)

    def test_status_is_served_as_it_was_published_with_its_age(self):
        self.publish()
        self.start()
        self.assertEqual(self.ask("/status")[0], 503)
        self.write("status.json", '{"phase":"serving"}')
        self.write("status.html", "<h1>serving</h1><!--age-->")
        browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        wait_for(lambda: self.ask("/status", headers=browser)[0] == 200, "a status page")
        status = json.loads(self.ask("/status")[2])
        self.assertEqual(status.pop("phase"), "serving")
        self.assertLess(status.pop("verdict_age_seconds"), 5)
        self.assertEqual(status, {})
        self.assertRegex(self.ask("/status", headers=browser)[2], "^<h1>serving</h1><p class=.fresh.>as of . s ago")
        self.publish(published_boot_ms=0)
        wait_for(lambda: "has not said anything for" in self.ask("/status", headers=browser)[2], "the age")

    def test_metrics_are_what_a_parser_of_prometheus_takes(self):
        sys.path.append("/usr/lib/python3/dist-packages")  # where Debian has it, whatever Python this is
        try:
            from prometheus_client.parser import text_string_to_metric_families as parse
        except ImportError:
            self.skipTest("no python3-prometheus-client")
        finally:
            sys.path.pop()
        self.publish(phase="upgrading", row=4)
        self.write("metrics.prom", "# HELP difyd_build_info 1\n# TYPE difyd_build_info gauge\n"
                   'difyd_build_info{version="a\\"b\\\\c\\nd"} 1\n')
        self.start()
        families = {each.name: each for each in parse(self.ask("/metrics")[2])}
        self.assertEqual(families["difyd_build_info"].samples[0].labels, {"version": 'a"b\\c\nd'})
        phases = {each.labels["phase"]: each.value for each in families["difyd_phase"].samples}
        self.assertEqual([name for name, value in phases.items() if value], ["upgrading"])
        self.assertEqual(families["difyd_verdict_row"].samples[0].value, 4)
        self.assertIn("version=0.0.4", self.ask("/metrics")[1]["Content-Type"])
        for family in families.values():
            self.assertTrue(family.documentation, family.name)

    def test_the_address_may_move(self):
        self.publish()
        self.start()
        port = free_port()
        self.publish(listen=f"127.0.0.1:{port}")
        wait_for(lambda: self.try_ask("/healthz", port), "the new address")
        with self.assertRaises(OSError):
            self.ask("/healthz")

    def test_the_maintenance_port_is_taken_and_let_go(self):
        self.publish()
        self.start()
        nginx = socket.socket()
        self.addCleanup(nginx.close)
        nginx.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        nginx.bind(("127.0.0.1", 0))
        nginx.listen()
        port = nginx.getsockname()[1]
        began = int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000)
        page = {"address": "127.0.0.1", "port": port, "health_path": "/lb", "why": "upgrading", "step": "migrate",
                "step_boot_ms": began, "since_ms": 1000, "since_boot_ms": began, "retry_after": 7}
        self.publish(readyz="maintenance", phase="upgrading", row=4, maintenance=page)
        wait_for(lambda: self.both() == (200, 503), "armed")  # nginx still has the port
        nginx.close()
        status, headers, body = wait_for(lambda: self.try_ask("/console/api/x", port, method="POST"), "the page")
        self.assertEqual(status, 503)
        self.assertEqual(headers["Retry-After"], "7")
        self.assertEqual(headers["Cache-Control"], "no-store")
        self.assertEqual(headers["Connection"].lower(), "close")
        self.assertIn("Dify is being upgraded", body)
        self.assertIn('<li class="now"><i></i><span>Migrating the database', body)
        said = json.loads(self.ask("/", port=port, headers={"Accept": "application/json"})[2])
        self.assertEqual((said["message"], said["step"]), ("Dify is being upgraded", "migrate"))
        japanese = self.ask("/", port=port, headers={"Accept-Language": "ja-JP,ja;q=0.9,en;q=0.5"})[2]
        self.assertIn("Dify をアップグレードしています", japanese)
        self.assertEqual(self.ask("/lb", port=port)[0], 200)
        seconds = lambda: json.loads(self.ask("/", port=port, headers={"Accept": "application/json"})[2])["step_seconds"]
        wait_for(lambda: seconds() > said["step_seconds"], "the time of the step goes on")
        self.upload(port)
        self.publish(readyz="maintenance", phase="upgrading", row=4,
                     maintenance=page | {"step": "start", "step_boot_ms": began + 1000})
        wait_for(lambda: '<li class="now"><i></i><span>Starting the new version' in self.ask("/", port=port)[2],
                 "the next step on the page")
        own = os.path.join(self.folder.name, "page.html")
        self.write("page.html", "<p>Back at noon")
        self.publish(readyz="maintenance", phase="upgrading", row=4, maintenance=page | {"file": own})
        wait_for(lambda: self.ask("/", port=port)[2] == "<p>Back at noon", "the operator's page")
        idle = socket.create_connection(("127.0.0.1", port), DEADLINE)  # must not hold the port
        self.addCleanup(idle.close)
        self.publish()
        again = socket.socket()
        self.addCleanup(again.close)
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        began = time.monotonic()

        def bound():
            try:
                again.bind(("127.0.0.1", port))
                again.listen()
                return True
            except OSError:
                return False
        wait_for(bound, "the port is free")
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(self.both(), (200, 200))

    def upload(self, port):
        """Somebody sends a large file: the answer is the page, and it comes before the file is read."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        self.addCleanup(connection.close)
        connection.putrequest("POST", "/console/api/files/upload")
        connection.putheader("Content-Length", str(15 << 20))
        connection.endheaders()
        connection.send(bytes(100 << 10))
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.getheader("Connection")), (503, "close"))
        self.assertIn(b"Dify is being upgraded", answer.read())

    def test_it_ends_at_once_when_asked(self):
        self.publish(maintenance={"address": "127.0.0.1", "port": free_port()})
        self.start()
        open_link = socket.create_connection(("127.0.0.1", self.port), DEADLINE)
        self.addCleanup(open_link.close)
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(DEADLINE), 0)
        self.assertLess(time.monotonic() - began, 5)

    def test_it_is_small(self):
        self.publish()
        self.start()
        for _ in range(200):
            self.ask("/healthz")
        with open(f"/proc/{self.process.pid}/status") as status:
            resident = int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1))
        print(f"difyd-health: {resident} kB resident")
        if "SANITIZE" not in os.environ:
            self.assertLess(resident, 6 * 1024)

    def test_wrong_options(self):
        for options in (["--listen"], ["--listen", "here"], ["--listen", "1.2.3.4:x"], ["--what"]):
            ended = subprocess.run([PROGRAM, *options], stderr=subprocess.PIPE, text=True, timeout=DEADLINE)
            self.assertEqual(ended.returncode, 2)
            self.assertIn("usage:", ended.stderr)


if __name__ == "__main__":
    unittest.main()
