"""How long Dify is away in an upgrade, as a client sees it that asks through nginx every 20 ms; beside the documented
way: docker compose down, the new files, docker compose up -d with the migration at start."""
import datetime
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import threading
import time

import measuring
from measuring import against, bench

OLD, NEW = "1.11.4", "1.12.1"
EVERY = 0.02
SETTINGS = "upgrade: {drain_grace: 0s, start_timeout: 60s}\n"


def ask(host, port, path):
    connection = bench.http.client.HTTPConnection(host, port, timeout=0.5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, bench.http.client.HTTPException):
        return 0
    finally:
        connection.close()


class Client(threading.Thread):
    """Asks through nginx until it is told to end; knows from when to when nothing good came."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.ending, self.answers = port, threading.Event(), []

    def run(self):
        while not self.ending.is_set():
            begun = time.time()
            good = ask("127.0.0.1", self.port, "/console/api/ping") == 200
            self.answers.append((begun if good else None, time.time()))
            self.ending.wait(max(0.0, begun + EVERY - time.time()))

    def gap(self):
        """The longest time between two good answers: from when, for how long."""
        good = [end for begun, end in self.answers if begun]
        return max(((a, b - a) for a, b in zip(good, good[1:])), key=lambda each: each[1])

    def back_again(self):
        good = [end for begun, end in self.answers if begun]
        return len(good) > 50 and self.gap()[1] > 1 and time.time() - good[-1] < 0.5


class Api(threading.Thread):
    """When the new api's container was started, and when it was first healthy."""

    def __init__(self, project):
        super().__init__(daemon=True)
        self.name, self.ending, self.started, self.healthy = f"{project}-api-1", threading.Event(), None, None

    def run(self):
        while not self.ending.wait(EVERY) and self.healthy is None:
            status, found = bench.api("GET", f"/containers/{self.name}/json")
            if status != 200 or not found["Config"]["Image"].endswith(":" + NEW) or not found["State"]["Running"]:
                continue
            self.started = instant(found["State"]["StartedAt"])
            address = found["NetworkSettings"]["Networks"][self.name.rsplit("-api-", 1)[0] + "_default"]["IPAddress"]
            while not self.ending.wait(EVERY) and self.healthy is None:
                if address and ask(address, 5001, "/health") == 200:
                    self.healthy = time.time()


def instant(text):
    """Seconds since the epoch of RFC 3339 with up to nine digits."""
    return datetime.datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00").timestamp()


def watched(machine, work):
    client, api = Client(machine.http), Api(machine.project)
    for each in (client, api):
        each.start()
    measuring.machine_module.wait_until("a good answer before", lambda: any(begun for begun, _ in client.answers), 30)
    said = work()
    measuring.machine_module.wait_until("Dify is back", client.back_again, 120)
    for each in (client, api):
        each.ending.set()
        each.join()
    return client.gap(), api.healthy - api.started if api.healthy else float("nan"), said


def by_difyd(machine):
    """(whole, migrator, api, what each step took)"""
    def work():
        code, out, err = machine.difyd("upgrade", NEW, "--json")
        if code:
            raise AssertionError(out + err + machine.tail())
        return [json.loads(line) for line in out.splitlines()]
    (begun, whole), api, events = watched(machine, work)
    name = next(name for name in machine.containers() if "-migrate-" in name)
    state = bench.api("GET", f"/containers/{name}/json")[1]["State"]
    migrator = instant(state["FinishedAt"]) - instant(state["StartedAt"])
    return whole, migrator, api, timeline(events, begun)


def timeline(events, begun):
    lines = []
    for each in events:
        at = instant(each["time"]) - begun
        lines.append(f"{at:8.3f}  {each['kind']:8} {each.get('subject', ''):34} {each.get('state', ''):8} {each.get('text', '')[:90]}")
    return lines


def keys_of(path):
    pairs = (line.split("=", 1) for line in path.read_text().splitlines() if "=" in line and not line.startswith("#"))
    return {key: value for key, value in pairs}


def documented(machine, program):
    """As Dify's manual has it: the folder's .env carried to the new release's, its volumes kept."""
    machine.stop_daemon()
    old = pathlib.Path(json.loads((machine.storage / ".difyd/ledger.json").read_text())["deployed"]["bundle"])
    new = machine.folder / "new"
    bundles = pathlib.Path(os.environ["DIFYD_BUNDLES_DIR"])
    own = {key: value for key, value in keys_of(old / ".env").items()
           if keys_of(bundles / f"dify-{OLD}/docker/.env.example").get(key) != value}

    def compose(folder, *words):
        subprocess.run([program, "-p", machine.project, *words], cwd=folder, check=True, capture_output=True)

    def work():
        compose(old, "down")
        shutil.copytree(bundles / f"dify-{NEW}/docker", new, symlinks=True)
        values = {**keys_of(new / ".env.example"), **own, "MIGRATION_ENABLED": "true"}
        (new / ".env").write_text("".join(f"{key}={value}\n" for key, value in values.items()))
        shutil.rmtree(new / "volumes", ignore_errors=True)
        (new / "volumes").symlink_to(machine.storage)
        compose(new, "up", "-d")
    (_, whole), api, _ = watched(machine, work)
    subprocess.run([program, "-p", machine.project, "down"], cwd=new, check=False, capture_output=True)
    return whole, api


def served(work, *arguments):
    machine = measuring.machine_module.Machine(OLD, settings=SETTINGS)
    try:
        machine.serve().await_phase("serving")
        machine.set_up()
        return work(machine, *arguments)
    finally:
        machine.close()


def run(_launcher, compose, _folder, wishes):
    version = "2.40" if "2.40" in compose else next(iter(compose))
    ours, theirs = [], []
    for _ in range(wishes.rounds or (1 if wishes.quick else 3)):
        ours.append(served(by_difyd))
        theirs.append(served(documented, compose[version]))
    if wishes.trace:
        print(f"\n  the last upgrade; seconds since the last good answer")
        print("\n".join(ours[-1][3]))
    middle = [statistics.median(each[i] for each in ours) for i in range(3)]
    rest = statistics.median(each[0] - each[1] - each[2] for each in ours)
    whole = statistics.median(each[0] for each in theirs)
    rows = [["difyd upgrade", f"{middle[0]:.2f} s", f"{middle[1]:.2f} s", f"{middle[2]:.2f} s", against(rest, 4.0, 2),
             against(middle[0] / whole, 0.5, 2)],
            [f"docker compose {version}", f"{whole:.2f} s", "", f"{statistics.median(each[1] for each in theirs):.2f} s", "", ""]]
    measuring.table(f"{OLD} to {NEW}, last to first good answer every {EVERY * 1000:.0f} ms, {len(ours)} rounds",
                    ["", "away", "migrator", "api start to healthy", "the rest, s", "difyd's to this"], rows)
