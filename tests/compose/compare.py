#!/usr/bin/env python3
"""Compares `config --format json` of the compose loader with docker compose's, key by key.

compare.py --oracle 2.26|2.40 PROGRAM...    PROGRAM: compose_config, or e.g. `difyd compose`

The real Dify files are taken from $DIFYD_BUNDLES or ../shared/dify beside the sources, with
COMPOSE_PROFILES empty and with the profiles of their .env.example; then the cases of cases.py.
Exit: 0 all alike, 1 differences, 77 no oracle (ctest: skipped).
"""

import argparse
import difflib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from cases import CASES  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
SKIPPED = 77

# The one thing that the two oracles print differently: file modes are numbers before v2.34.
def as_printed_since_2_34(model):
    for service in model.get("services", {}).values():
        for kind in ("secrets", "configs"):
            for use in service.get(kind) or []:
                if isinstance(use.get("mode"), int):
                    use["mode"] = "0%o" % use["mode"]
    return model


def find_oracle(version):
    got = subprocess.run([HERE.parent / "oracle" / "get-docker-compose", version], stdout=subprocess.PIPE, text=True)
    lines = got.stdout.split()
    return lines[1] if got.returncode == 0 and len(lines) == 2 else None


def run(program, args, words, folder, env, form="json"):
    clean = {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent-home", **env}
    done = subprocess.run([*program, *args, "config", "--format", form, *words], cwd=folder, env=clean,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, timeout=60)
    return done.returncode, done.stdout, done.stderr.strip()


def differences(ours, theirs, path=""):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            here = f"{path}.{key}" if path else key
            if key not in ours:
                yield f"{here}: missing, oracle has {json.dumps(theirs[key])}"
            elif key not in theirs:
                yield f"{here}: {json.dumps(ours[key])}, oracle has nothing"
            else:
                yield from differences(ours[key], theirs[key], here)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for i, (mine, other) in enumerate(zip(ours, theirs)):
            yield from differences(mine, other, f"{path}[{i}]")
    elif ours != theirs or type(ours) is not type(theirs):
        yield f"{path}: {json.dumps(ours)}, oracle has {json.dumps(theirs)}"


class Comparison:
    def __init__(self, program, oracle, version):
        self.program, self.oracle, self.version = program, [oracle], version
        self.failed = self.done = 0
        self.verbose = False

    def fail(self, name, lines):
        self.failed += 1
        print(f"FAILED {name}")
        for line in lines:
            print(f"  {line}")

    def check(self, name, args, folder, env, words=(), fails=False):
        self.done += 1
        code, ours, said = run(self.program, args, words, folder, env)
        expected, theirs, oracle_said = run(self.oracle, args, words, folder, env)
        if fails:
            return self.check_refusal(name, code, said, expected, oracle_said)
        if code or expected:
            return self.fail(name, [f"exit {code}, oracle {expected}", f"ours:   {said}", f"oracle: {oracle_said}"])
        found = list(differences(as_printed_since_2_34(json.loads(ours)), as_printed_since_2_34(json.loads(theirs))))
        if found:
            self.fail(name, found)

    def check_yaml(self, name, args, folder, env):
        """The text itself, as people compare it."""
        self.done += 1
        ours, theirs = (run(p, args, (), folder, env, "yaml")[1].splitlines() for p in (self.program, self.oracle))
        if ours != theirs:
            self.fail(f"{name} as YAML", list(difflib.unified_diff(theirs, ours, "oracle", "ours", lineterm="", n=0))[:20])

    def check_refusal(self, name, code, said, expected, oracle_said):
        if self.verbose:
            print(f"{name}\n  {code}: {said}\n  {expected}: {oracle_said}")
        problems = []
        if expected == 0:
            problems.append("the oracle accepts it")
        if code not in (1, 14, 15):
            problems.append(f"exit {code}, oracle {expected}: {oracle_said}")
        if code and not said.startswith("difyd compose: cannot "):
            problems.append(f"not a sentence: {said}")
        # One sentence; the remedy stands below it, indented.
        if len([line for line in said.splitlines() if not line.startswith(("warning: ", "  "))]) != 1:
            problems.append(f"not one line: {said}")
        if problems:
            self.fail(name, problems)


def bundles():
    given = os.environ.get("DIFYD_BUNDLES")
    root = pathlib.Path(given) if given else SOURCE.parent / "shared" / "dify"
    return sorted([*root.glob("*/docker/docker-compose.yaml"), *root.glob("*/docker-compose.yml")]), root


def compare_bundles(comparison):
    files, root = bundles()
    if not files:
        print(f"SKIPPED the real Dify files: none under {root} (set DIFYD_BUNDLES)")
    for compose in files:
        with tempfile.TemporaryDirectory(prefix="difyd-compare-") as temporary:
            folder = pathlib.Path(temporary) / "docker"
            shutil.copytree(compose.parent, folder, copy_function=shutil.copyfile)
            environment = folder / ".env.example"
            if environment.exists():  # from 1.14.1 on the services read .env themselves
                shutil.copyfile(environment, folder / ".env")
            else:
                environment = folder / ".env"
            args = ["-f", compose.name, "--env-file", environment.name]
            name = str(compose.relative_to(root))
            comparison.check(f"{name} with empty profiles", args, folder, {"COMPOSE_PROFILES": ""})
            comparison.check(f"{name} with its default profiles", args, folder, {})
            comparison.check_yaml(name, args, folder, {})
            comparison.check(f"{name} with all profiles", [*args, "--profile", "*"], folder, {})


def compare_cases(comparison):
    for name, case in CASES.items():
        if comparison.version not in case.get("oracles", ("2.26", "2.40")):
            continue
        with tempfile.TemporaryDirectory(prefix="difyd-compare-") as temporary:
            folder = pathlib.Path(temporary) / "case"
            for path, text in case["files"].items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text, newline="")
            comparison.check(name, case.get("args", ["-f", "compose.yaml"]), folder, case.get("env", {}),
                             case.get("words", ()), case.get("fails", False))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--oracle", required=True, choices=["2.26", "2.40"])
    arguments.add_argument("--verbose", action="store_true", help="print the refusals of both")
    arguments.add_argument("program", nargs="+")
    asked = arguments.parse_args()
    oracle = find_oracle(asked.oracle)
    if not oracle:
        print(f"SKIPPED: docker compose {asked.oracle} could not be had (tests/oracle/get-docker-compose)")
        return SKIPPED
    comparison = Comparison(asked.program, oracle, asked.oracle)
    comparison.verbose = asked.verbose
    compare_bundles(comparison)
    compare_cases(comparison)
    print(f"{comparison.done} compared with docker compose {asked.oracle}, {comparison.failed} differ")
    return 1 if comparison.failed else 0


if __name__ == "__main__":
    sys.exit(main())
