"""`up -d` of the ten services of 1.11.4 with empty profiles and images present: difyd, docker compose, and
the same creates, connects and starts sent raw. Then `up -d` once more, which has nothing to do."""
import json
import os
import pathlib
import secrets
import shutil
import statistics
import subprocess
import sys
import time
import urllib.parse

import bench
import measuring
import recording
from measuring import BIN, HERE, REAL, SOURCE, VERSION, against, median
from machine import free_port, wait_until

ROUNDS = 5
GOAL_UP, GOAL_RAW, GOAL_AGAIN = 0.85, 1.15, 0.25


class Stack:
    """One project in a folder of its own, with a PostgreSQL so that nothing restarts in a loop."""

    services, what = 10, f"10 services of {VERSION}"

    def __init__(self, folder, launcher):
        self.folder, self.launcher, self.again = pathlib.Path(folder), launcher, {}
        self.name = "difydbench" + secrets.token_hex(4)
        self.directory = self.folder / "docker"
        self.environment = dict(os.environ, DIFYD_STATE=str(self.folder / "db"))

    def start(self):
        done = subprocess.run([SOURCE / "packaging/postgres", "up"], env=self.environment, text=True,
                              capture_output=True, check=False)
        if done.returncode:
            raise AssertionError("no PostgreSQL: " + done.stderr)
        self.prepare(dict(line.split("=", 1) for line in done.stdout.split()))

    def prepare(self, database):
        bundles = os.environ["DIFYD_BUNDLES_DIR"]
        shutil.copytree(pathlib.Path(bundles) / f"dify-{VERSION}/docker", self.directory)
        self.kind, real = "simulator's file", REAL / VERSION / "docker"
        if (real / "docker-compose.yaml").is_file():
            self.kind = "real file"
            for name in ("docker-compose.yaml", ".env.example"):
                shutil.copyfile(real / name, self.directory / name)
        values = {"COMPOSE_PROFILES": "", "EXPOSE_NGINX_PORT": free_port(), "EXPOSE_NGINX_SSL_PORT": free_port(),
                  "EXPOSE_PLUGIN_DEBUGGING_PORT": free_port(), "DB_TYPE": "postgresql",
                  "DB_HOST": database["DIFYD_POSTGRES_HOST"], "DB_PORT": database["DIFYD_POSTGRES_PORT"],
                  "DB_USERNAME": "dify", "DB_DATABASE": "dify", "DB_PLUGIN_DATABASE": "dify_plugin",
                  "DB_PASSWORD": pathlib.Path(database["DIFYD_POSTGRES_PASSWORD_FILE"]).read_text().strip()}
        text = (self.directory / ".env.example").read_text()
        (self.directory / ".env").write_text(text + "\n" + "".join(f"{k}={v}\n" for k, v in values.items()))

    def command(self, program, *words):
        return [*program, "-f", self.directory / "docker-compose.yaml", "-p", self.name, *words]

    def containers(self):
        """name -> details"""
        filters = urllib.parse.quote(json.dumps({"label": [f"com.docker.compose.project={self.name}"]}))
        listed = bench.api("GET", f"/containers/json?all=1&filters={filters}")[1]
        details = [bench.api("GET", f"/containers/{each['Id']}/json") for each in listed]
        return {c["Name"][1:]: c for status, c in details if status == 200}

    def check(self, who):
        found = self.containers()
        running = [n for n, c in found.items() if c["State"]["Running"] and not c["State"]["Restarting"]]
        done = [n for n, c in found.items() if c["State"]["Status"] == "exited" and c["State"]["ExitCode"] == 0]
        if len(found) != self.services or len(running) + len(done) != self.services:
            states = {n: c["State"]["Status"] for n, c in found.items()}
            raise AssertionError(f"{who} did not bring everything up: {states}")
        return found

    def tear_down(self):
        filters = urllib.parse.quote(json.dumps({"label": [f"com.docker.compose.project={self.name}"]}))
        for name in self.containers():
            bench.api("DELETE", f"/containers/{name}?force=1&v=1")
        for each in bench.api("GET", f"/networks?filters={filters}")[1]:
            bench.api("DELETE", f"/networks/{each['Id']}")
        wait_until("everything is gone", lambda: not self.containers())
        time.sleep(1.5)  # what the engine still puts away is not the next candidate's cost

    def one(self, name, program):
        if name == "raw":
            cost = self.launcher.run([sys.executable, "-B", HERE / "recording.py", "replay", program], cwd=self.directory)
            cost.wall_ms = float(cost.out)  # without the start of the interpreter
        else:
            cost = self.launcher.run(self.command(program, "up", "-d"), cwd=self.directory)
        self.check(name)
        if name != "raw":
            self.again.setdefault(name, []).append(self.launcher.run(self.command(program, "up", "-d"), cwd=self.directory))
        self.tear_down()
        return cost

    def dependencies(self):
        """container -> container it waits for -> condition"""
        out = subprocess.run(self.command([BIN / "difyd", "compose"], "config", "--format", "json"), cwd=self.directory,
                             capture_output=True, check=True).stdout
        services = json.loads(out)["services"]
        return {f"{self.name}-{s}-1": {f"{self.name}-{other}-1": how["condition"]
                                       for other, how in of.get("depends_on", {}).items() if other in services}
                for s, of in services.items()}

    def record(self, program):
        """What `program up -d` asks of the engine; the names of the containers by id."""
        recorder = recording.Recorder(self.folder)
        try:
            done = subprocess.run(self.command(program, "up", "-d"), cwd=self.directory, check=False, capture_output=True,
                                  text=True, env={**os.environ, "DOCKER_HOST": f"unix://{recorder.path}"})
            if done.returncode:
                raise AssertionError(f"{program}: exit {done.returncode}\n{done.stderr[-1500:]}")
            names = {c["Id"]: name for name, c in self.containers().items()}
        finally:
            recorder.close()
            os.unlink(recorder.path)
        self.tear_down()
        return recorder.requests, names

    def close(self):
        try:
            self.tear_down()
        finally:
            subprocess.run([SOURCE / "packaging/postgres", "down"], env=self.environment, capture_output=True, check=False)


def measure(stack, compose, rounds, trace):
    programs = {"difyd": [BIN / "difyd", "compose"]}
    programs.update({f"docker compose {v}": [program] for v, program in compose.items()})
    counts = {}
    for name, program in programs.items():  # also warms up: migrations, folders, page cache
        requests, names = stack.record(program)
        counts[name] = len(requests)
        if trace:
            print(f"\n  {name}: {len(requests)} requests (begun at ms, first byte of the answer after ms)")
            recording.timeline(requests)
        if name == "difyd":
            script = stack.folder / "raw.json"
            script.write_text(json.dumps(recording.script_of(requests, names, stack.dependencies())))
            raw = json.loads(script.read_text())
            counts["raw"] = len(raw["networks"]) + sum(2 + len(c["connects"]) for c in raw["containers"].values()) + 1
    return measuring.in_turns(rounds, {**programs, "raw": script}, stack.one), counts


def ratio_to(own, theirs):
    """The median of the ratios of the same round: what else the machine does differs from round to round."""
    return statistics.median(a.wall_ms / b.wall_ms for a, b in zip(own, theirs))


def compare(stack, compose, wishes):
    try:
        stack.start()
        rounds = wishes.rounds or (1 if wishes.quick else ROUNDS)
        costs, counts = measure(stack, compose, rounds, wishes.trace)
    finally:
        stack.close()
    rows = []
    for name, all_of in costs.items():
        walls = [c.wall_ms for c in all_of]
        row = [name, f"{statistics.median(walls):.0f} ms", f"{min(walls):.0f}..{max(walls):.0f}", counts[name]]
        row += ["", ""] if name == "raw" else [f"{median(all_of, 'cpu_ms'):.0f} ms", f"{median(all_of, 'peak_mib'):.1f} MiB"]
        ratio = ratio_to(costs["difyd"], all_of)
        row.append("" if name == "difyd" else against(ratio, GOAL_RAW if name == "raw" else GOAL_UP))
        rows.append(row)
    measuring.table(f"up -d, {stack.what}, {stack.kind}, images present, {rounds} rounds",
                    ["", "wall", "from..to ms", "requests", "client's cpu", "peak RSS", "difyd's wall to this"], rows)
    rows = [[name, f"{median(all_of, 'wall_ms'):.0f} ms",
             "" if name == "difyd" else against(ratio_to(stack.again["difyd"], all_of), GOAL_AGAIN)]
            for name, all_of in stack.again.items()]
    measuring.table("up -d again, nothing to do", ["", "wall", "difyd's wall to this"], rows)


def run(launcher, compose, folder, wishes):
    compare(Stack(folder, launcher), compose, wishes)
