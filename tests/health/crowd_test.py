"""What strangers do to difyd-health's port does not disturb the checks that ask it."""
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PROGRAM = sys.argv.pop(1)
DEADLINE = 10
HEADER = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


class Prober(threading.Thread):
    """Asks as a health checker does, ten times as often, on one connection or on a new one each time."""

    def __init__(self, port, keep):
        super().__init__(daemon=True)
        self.port, self.keep = port, keep
        self.times, self.failures = [], []
        self.stopping = threading.Event()

    def run(self):
        connection = None
        while not self.stopping.wait(0.1):
            began = time.monotonic()
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/healthz")
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    self.failures.append(answer.status)
            except OSError as error:
                self.failures.append(repr(error))
                connection = None
            self.times.append(time.monotonic() - began)
            if connection and not self.keep:
                connection.close()
                connection = None
        if connection:
            connection.close()

    def end(self):
        self.stopping.set()
        self.join(DEADLINE)
        return self.failures


class Crowd(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="difyd-crowd-")
        self.addCleanup(folder.cleanup)
        with open(os.path.join(folder.name, "verdict.json"), "w") as out:
            json.dump({"healthz": "ok", "readyz": "ok", "row": 7, "reason": "serving", "phase": "serving"}, out)
        self.process = subprocess.Popen(
            [PROGRAM, "--listen", "127.0.0.1:0", "--verdict", os.path.join(folder.name, "verdict.json")],
            stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        self.port = int(re.search(r"answering on 127.0.0.1:(\d+)", self.process.stderr.readline()).group(1))
        self.links = []
        self.addCleanup(lambda: [link.close() for link in self.links])
        self.probers = [Prober(self.port, keep) for keep in (True, False)]
        for each in self.probers:
            each.start()
        self.probes(3)

    def end(self):
        self.process.terminate()
        self.process.wait(DEADLINE)
        self.process.stderr.close()

    def probes(self, count):
        """Until each prober has asked so often again."""
        before = [len(each.times) for each in self.probers]
        end = time.monotonic() + 60
        while any(len(each.times) < start + count for each, start in zip(self.probers, before)):
            self.assertLess(time.monotonic(), end, "the probers go on")
            time.sleep(0.02)

    def crowd(self, count, data=b"", half_closed=False):
        for i in range(count):
            if i % 100 == 99:  # the backlog is not what is looked at
                time.sleep(0.02)
            try:
                link = socket.create_connection(("127.0.0.1", self.port), DEADLINE)
                self.links.append(link)
                if data:
                    link.sendall(data)
                if half_closed:
                    link.shutdown(socket.SHUT_WR)
            except OSError:  # closed for another one, which is what keeps the room
                pass

    def check(self, what):
        self.probes(10)
        for each in self.probers:
            self.assertEqual(each.end(), [], what)
        times = sorted(time for each in self.probers for time in each.times)
        print(f"{what}: {len(times)} probes, the slowest {times[-1] * 1000:.1f} ms", file=sys.stderr)
        self.assertLess(times[-1], 10)  # a lost SYN is sent again after 1 s, and after 2 s more
        with open(f"/proc/{self.process.pid}/status") as status:
            resident = int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1))
        print(f"  {resident} kB resident", file=sys.stderr)
        if "SANITIZE" not in os.environ:
            self.assertLess(resident, 16 * 1024)

    def test_a_thousand_idle_connections(self):
        self.crowd(1000)
        self.check("1000 idle connections")

    def test_a_thousand_headers_that_never_end(self):
        self.crowd(1000, HEADER + b"X-Slow: ")
        for _ in range(3):
            for link in self.links:
                try:
                    link.send(b"a")
                except OSError:
                    pass
        self.check("1000 slow headers")

    def test_headers_that_are_too_large(self):
        self.crowd(300, HEADER + b"X: " + b"b" * 20000)
        self.check("300 oversized headers")

    def test_garbage(self):
        self.crowd(300, os.urandom(3000))
        self.check("300 connections with garbage")

    def test_half_closed_connections_have_their_answer(self):
        self.crowd(100, HEADER + b"\r\n", half_closed=True)
        for link in self.links:
            self.assertTrue(link.recv(100).startswith(b"HTTP/1.1 200"))
        self.crowd(300, half_closed=True)
        self.crowd(300, HEADER, half_closed=True)
        self.check("700 half-closed connections")

    def test_those_who_asked_once_and_stay(self):
        self.crowd(600, HEADER + b"\r\n")
        self.check("600 connections that asked once")

    def test_bodies_that_never_come(self):
        self.crowd(300, b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n")
        self.check("300 bodies that never come")


if __name__ == "__main__":
    unittest.main()
