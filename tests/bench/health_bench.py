"""/healthz under wrk beside nginx with a static answer, and at a checker's pace while the stack comes up."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import threading
import time

import measuring
from measuring import BIN, VERSION, against
from machine import free_port

NGINX = """daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.error;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/t; proxy_temp_path {folder}/t; fastcgi_temp_path {folder}/t;
  uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;
  keepalive_requests 100000000;
  server {{
    listen 127.0.0.1:{port};
    location = /healthz {{ default_type text/plain; add_header Cache-Control no-store; return 200 "ok\\n"; }}
  }}
}}
"""
RATE = 200  # requests a second


def await_port(port):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError(f"nobody listens on {port}")


@contextlib.contextmanager
def running(command, port):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await_port(port)
        yield process
    finally:
        process.terminate()
        process.wait(10)


def wrk(port, seconds, connections=32):
    """Requests a second, and the 99th percentile in milliseconds."""
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{port}/healthz"],
                         capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise AssertionError(out)
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def beside_nginx(folder, wishes):
    seconds, rounds = (1, 1) if wishes.quick else (5, wishes.rounds or 5)
    verdict = pathlib.Path(folder) / "verdict.json"
    verdict.write_text(json.dumps({"healthz": "ok", "readyz": "ok", "row": 7, "reason": "serving", "phase": "serving"}))
    (pathlib.Path(folder) / "t").mkdir()
    ports = {"difyd-health": free_port(), "nginx": free_port()}
    configuration = pathlib.Path(folder) / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=ports["nginx"]))
    found = {name: [] for name in ports}
    with running([BIN / "difyd-health", "--listen", f"127.0.0.1:{ports['difyd-health']}", "--verdict", verdict],
                 ports["difyd-health"]), running(["nginx", "-p", folder, "-c", configuration], ports["nginx"]):
        for round_ in range(rounds):
            for name in list(ports) if round_ % 2 == 0 else reversed(list(ports)):
                found[name].append(wrk(ports[name], seconds))
    per_second = {name: statistics.median(each[0] for each in runs) for name, runs in found.items()}
    rows = [[name, f"{per_second[name]:.0f}", f"{per_second[name] / per_second['nginx']:.2f}",
             f"{statistics.median(each[1] for each in runs):.2f}"] for name, runs in found.items()]
    measuring.table(f"/healthz under wrk, 32 connections kept, one process each, {rounds} x {seconds} s",
                    ["", "requests/s", "of nginx", "p99 ms"], rows)


class Pace(threading.Thread):
    """RATE requests a second, on a connection of its own each time, begun when it is time whatever the last one does."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.times, self.failed = port, [], 0
        self.stopping = threading.Event()

    def run(self):
        # What is measured is the answer, not how long this program waits for a processor.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -10)
        due = time.perf_counter()
        while not self.stopping.is_set():
            due += 1 / RATE
            if (wait := due - time.perf_counter()) > 0:
                time.sleep(wait)
            began = time.perf_counter()
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/healthz")
                self.failed += connection.getresponse().status != 200
                connection.close()
            except OSError:
                self.failed += 1
            self.times.append((time.perf_counter() - began) * 1000)

    def end(self):
        self.stopping.set()
        self.join(10)
        return sorted(self.times)


def rounds_of(machine, wishes):
    """What happens, and the answers' times meanwhile."""
    machine.serve(options=())
    machine.await_phase("serving")
    for what in ("idle", "difyd up"):
        if what != "idle" and machine.difyd("down")[0]:
            raise AssertionError("difyd down failed")
        pace = Pace(machine.health)
        began = time.monotonic()
        pace.start()
        if what == "idle":
            time.sleep(2 if wishes.quick else 10)
        elif machine.difyd("up")[0]:
            raise AssertionError("difyd up failed")
        seconds, times = time.monotonic() - began, pace.end()
        p99 = times[int(len(times) * 0.99)]
        yield [what, f"{seconds:.1f}", len(times), pace.failed, f"{times[len(times) // 2]:.2f}",
               against(p99, 5, 2) if what != "idle" else f"{p99:.2f}", f"{times[-1]:.1f}"]


def while_converging(wishes):
    import machine as machines
    machine = machines.Machine(VERSION)
    # A process of its own, with the priority that its unit has.
    command = ["nice", "-n", "-10", BIN / "difyd-health", "--listen", f"127.0.0.1:{machine.health}", "--verdict",
               machine.folder / "run/verdict.json"]
    try:
        with running(command, machine.health):
            rows = list(rounds_of(machine, wishes))
    finally:
        machine.stop_daemon()
        machine.close()
    measuring.table(f"/healthz at {RATE} requests a second, a new connection each, stack of {VERSION}, {os.cpu_count()} cores, load "
                    f"{os.getloadavg()[0]:.1f}", ["", "seconds", "requests", "failed", "median ms", "p99 ms", "slowest ms"], rows)


def run(_launcher, _compose, folder, wishes):
    missing = [program for program in ("wrk", "nginx") if not shutil.which(program)]
    if missing:
        print(f"\n/healthz beside nginx: left out, not installed: {', '.join(missing)} (Debian has both)")
    else:
        beside_nginx(folder, wishes)
    while_converging(wishes)
