#!/usr/bin/env python3
"""Compares `difyd compose config` with what docker compose makes of the same files.

compare.py [--case NAME] PROGRAM...               the cases of tests/compose/cases, with what is kept beside them
compare.py --oracle 2.26|2.40 PROGRAM...          the real Dify files, with docker compose itself; and whether
                                                  it still says what is kept (of each fifth case, with
                                                  DIFYD_TEST_ALL=1 of all)

PROGRAM is e.g. `difyd compose`. The real files are those below $DIFYD_BUNDLES, or ../shared/dify beside the
sources: with COMPOSE_PROFILES empty, with the profiles of their .env.example, and with all.
Exit: 0 all alike, 1 differences, 77 no such docker compose (ctest: skipped).
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
import case as cases  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
SKIPPED = 77
REFUSED = 1  # as docker compose 2.40; 2.26 has 14 and 15


class Report:
    def __init__(self):
        self.done = self.failed = 0

    def add(self, name, problems):
        self.done += 1
        problems = list(problems)
        if problems:
            self.failed += 1
            print(f"FAILED {name}", *problems, sep="\n  ")


def whom_to_follow(case):
    """The version whose answer difyd must give; None where the case does not say it."""
    alike = case.kept_text("model.json") is not None or len(case.refusals()) == len(cases.VERSIONS)
    return cases.VERSIONS[-1] if alike else case.one("follows") or None


def unlike_kept(case, program):
    ours = case.run(program)
    warned = [line.removeprefix("warning: ") for line in ours.said.splitlines() if line.startswith("warning: ")]
    if case.keys["warns"] and warned != case.keys["warns"]:
        yield f"warns {warned}, expected {case.keys['warns']}"
    version = whom_to_follow(case)
    if version is None:
        yield "docker compose 2.26 and 2.40 differ, and `follows` does not say whom difyd follows"
        return
    expected = None if case.one("says") else case.kept_model("difyd" if case.one("differs") else version)
    if expected is None:
        yield from unlike_refusal(case, ours)
    elif ours.code:
        yield f"refused ({ours.code}): {ours.said}"
    else:
        yield from cases.oracle.differences(ours.model, expected)
        if case.one("yaml"):
            theirs = case.kept_yaml(version).splitlines()
            text = case.run(program, "yaml").text.splitlines()
            yield from list(difflib.unified_diff(theirs, text, "expected", "ours", lineterm="", n=0))[:20]


def unlike_refusal(case, ours):
    """One sentence, and below it what would be right."""
    if ours.code != REFUSED:
        yield f"exit {ours.code}, expected a refusal: {'; '.join(case.refusals().values())}"
        return
    lines = [line for line in ours.said.splitlines() if not line.startswith("warning: ")]
    expected = ["difyd compose: " + case.one("says")] + ["  " + case.one("remedy")] * bool(case.one("remedy"))
    if lines != expected:
        yield "says:     " + "\n            ".join(lines)
        yield "expected: " + "\n            ".join(expected)


def compare_cases(report, program, only):
    for case in cases.all_cases(only):
        report.add(case.name, unlike_kept(case, program))


def run(program, args, folder, env, form):
    clean = {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent-home", **env}
    return subprocess.run([*program, *args, "config", "--format", form], cwd=folder, env=clean, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)


def unlike_live(program, oracle, args, folder, env):
    ours, theirs = (run(p, args, folder, env, "json") for p in (program, [oracle]))
    if ours.returncode or theirs.returncode:
        return [f"exit {ours.returncode}, docker compose {theirs.returncode}", ours.stderr, theirs.stderr]
    models = (cases.with_octal_modes(json.loads(done.stdout)) for done in (ours, theirs))
    return cases.oracle.differences(*models)


def unlike_text(program, oracle, args, folder):
    """The text itself, as people compare it."""
    ours, theirs = (run(p, args, folder, {}, "yaml").stdout.splitlines() for p in (program, [oracle]))
    return list(difflib.unified_diff(theirs, ours, "docker compose", "ours", lineterm="", n=0))[:20]


def compare_bundles(report, program, oracle):
    given = os.environ.get("DIFYD_BUNDLES")
    root = pathlib.Path(given) if given else SOURCE.parent / "shared" / "dify"
    files = sorted([*root.glob("*/docker/docker-compose.yaml"), *root.glob("*/docker-compose.yml")])
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
            report.add(f"{name} with empty profiles",
                       unlike_live(program, oracle, args, folder, {"COMPOSE_PROFILES": ""}))
            report.add(f"{name} with its default profiles", unlike_live(program, oracle, args, folder, {}))
            report.add(f"{name} with all profiles",
                       unlike_live(program, oracle, [*args, "--profile", "*"], folder, {}))
            report.add(f"{name} as YAML", unlike_text(program, oracle, args, folder))


def main():
    arguments = argparse.ArgumentParser(usage="compare.py [--case NAME | --oracle 2.26|2.40] PROGRAM...")
    arguments.add_argument("--oracle", choices=cases.VERSIONS)
    arguments.add_argument("--case", default="")
    arguments.add_argument("program", nargs="+")
    asked = arguments.parse_args()
    report = Report()
    if not asked.oracle:
        compare_cases(report, asked.program, asked.case)
        print(f"{report.done} cases, {report.failed} not as kept")
        return 1 if report.failed or not report.done else 0
    oracle = cases.oracle.program(asked.oracle)
    if not oracle:
        print(f"SKIPPED: docker compose {asked.oracle} could not be had (tests/oracle/get-docker-compose)")
        return SKIPPED
    compare_bundles(report, asked.program, oracle)
    print(f"{report.done} compared with docker compose {asked.oracle}, {report.failed} differ")
    every = "1" if os.environ.get("DIFYD_TEST_ALL") == "1" else "5"
    recorded = subprocess.run([HERE / "record", "--check", "--every", every, "--oracle", asked.oracle],
                              check=False).returncode
    return 1 if report.failed or recorded == 1 else 0


if __name__ == "__main__":
    sys.exit(main())
