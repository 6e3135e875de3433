"""What the benchmarks share: the launcher, medians, one table, and what the machine is."""
import dataclasses
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
BIN = pathlib.Path(os.environ.get("DIFYD_BIN", SOURCE / "build/release/bin")).resolve()
REAL = pathlib.Path(os.environ.get("DIFYD_BUNDLES", SOURCE.parent / "shared/dify"))
VERSION = "1.11.4"

# The helpers of the other suites are used as they are.
os.environ.update(DIFYD_SOURCE=str(SOURCE), DIFYD_BIN=str(BIN), DIFYD_PROGRAM=str(BIN / "difyd"))
sys.path[:0] = [str(SOURCE / "tests/stack"), str(SOURCE / "tests/integration")]

import bench  # noqa: E402  (tests/stack: the engine's API, the oracles)
import machine as machine_module  # noqa: E402  (tests/integration)


class Skipped(Exception):
    pass


@dataclasses.dataclass
class Cost:
    wall_ms: float
    cpu_ms: float
    peak_mib: float
    out: str = ""


class Launcher:
    """bench-launch: from CMake, or compiled on the spot where the script is run by hand."""

    def __init__(self, folder):
        self.program = os.environ.get("DIFYD_BENCH_LAUNCH", "")
        if self.program and os.access(self.program, os.X_OK):
            return
        compiler = next((c for c in ("clang++-19", "g++", "c++", "clang++") if shutil.which(c)), None)
        if compiler is None:
            raise Skipped("no C++ compiler to make the launcher with (packaging/install-packages)")
        self.program = str(pathlib.Path(folder) / "bench-launch")
        subprocess.run([compiler, "-O2", "-o", self.program, HERE / "launch.cpp"], check=True)

    def run(self, command, cwd=None, env=None, timeout=300):
        reader, writer = os.pipe()
        with os.fdopen(reader) as told:
            try:
                done = subprocess.run([self.program, str(writer), *map(str, command)], pass_fds=[writer], cwd=cwd,
                                      env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, text=True,
                                      capture_output=True, timeout=timeout, check=False)
            finally:
                os.close(writer)
            line = told.read().split()
        if len(line) != 5 or line[0] != "0":
            raise AssertionError(f"{' '.join(map(str, command))}: exit {line[:1]}\n{done.stdout}{done.stderr}")
        code, wall, user, system, peak = map(int, line)
        return Cost(wall / 1e6, (user + system) / 1e3, peak / 1024, done.stdout)


def oracles():
    """version -> program, of those that can be had."""
    found = {v: bench.oracle.program(v) for v in ("2.26", "2.40")}
    found = {v: p for v, p in found.items() if p}
    if not found:
        raise Skipped("neither docker compose 2.26 nor 2.40 could be had (tests/oracle/get-docker-compose)")
    return found


def in_turns(rounds, candidates, work):
    """name -> costs. Every round runs each candidate once, beginning with another one each time, so that
    neither drift of the machine nor what the predecessor left behind favours one."""
    costs = {name: [] for name in candidates}
    names = list(candidates)
    for round_ in range(rounds):
        at = round_ % len(names)
        for name in names[at:] + names[:at]:
            costs[name].append(work(name, candidates[name]))
    return costs


def median(costs, what):
    return statistics.median(getattr(each, what) for each in costs)


def table(title, head, rows):
    rows = [head] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    print(f"\n{title}")
    for number, row in enumerate(rows):
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  " + "  ".join(cells).rstrip())
        if number == 0:
            print("  " + "  ".join("-" * width for width in widths))
    sys.stdout.flush()


def against(value, goal, digits=3):
    return f"{value:.{digits}f} (goal {goal:g}: {'reached' if value <= goal else 'MISSED'})"


def line_of(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().splitlines()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        return "none"


def machine(compose):
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 platform.machine())
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemTotal")) / 1048576
    try:
        status, engine = bench.api("GET", "/version")
        engine = f"{engine['Version']} (API {engine['ApiVersion']})" if status == 200 else "none"
    except (OSError, TypeError, AttributeError):
        engine = "none"
    print(f"machine         {os.cpu_count()} cores, {model}, {memory:.1f} GiB, Linux {platform.release()}, "
          f"load {' '.join(f'{x:.1f}' for x in os.getloadavg())}")
    print(f"engine          {engine}")
    for version, program in compose.items():
        print(f"docker compose  {line_of([program, 'version', '--short'])} ({program})")
    print(f"difyd           {line_of([BIN / 'difyd', 'version'])} ({BIN})")
    sys.stdout.flush()
