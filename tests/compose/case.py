"""A conformance case of tests/compose/cases: a small folder of input, and what docker compose makes of it.

`case` in it holds lines of "key: value":

    pins      the behaviour that it pins, as a sentence (needed)
    args      options before `config` (default: -f compose.yaml); {folder} stands for the folder
    services  words after `config`
    env       NAME=VALUE; one line for each
    cwd       folder below the case that it is run in
    stdin     file of the case that is its standard input
    yaml      yes: the YAML text is compared too
    warns     a warning of difyd (without "warning: "); one line for each, and no others, where there is one
    says      difyd's sentence where it refuses, after "difyd compose: "
    remedy    the line below it, where there is one
    follows   2.26 or 2.40: whom difyd follows where the two differ
    differs   why difyd's model is another than both; it stands in model-difyd.json, written by hand

All else but the kept files is input. Kept, and written by `record` alone:

    model.json       what docker compose 2.26 and 2.40 both print; else model-2.26.json, model-2.40.json
    model.yaml       the same as YAML, where the case asks for it
    refusal          a line for each that refuses: version, exit code, its words

Paths are kept as {folder}/... (the project's folder, which is always called "case") and {above}/...
"""
import dataclasses
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "oracle"))
import oracle  # noqa: E402

CASES = pathlib.Path(__file__).resolve().parent / "cases"
VERSIONS = ("2.26", "2.40")
MANY = {"env", "warns"}
KEYS = MANY | {"pins", "args", "services", "cwd", "stdin", "yaml", "says", "remedy", "follows", "differs"}
KEPT = {"case", "refusal", "model.json", "model.yaml", "model-difyd.json",
        *(f"model-{v}.{form}" for v in VERSIONS for form in ("json", "yaml"))}


@dataclasses.dataclass
class Outcome:
    code: int
    model: dict | None  # of `config --format json`
    text: str           # of `config --format yaml`, where that was asked for
    said: str           # standard error


class Case:
    def __init__(self, folder):
        self.folder = folder
        self.name = str(folder.relative_to(CASES))
        self.keys = {key: [] for key in KEYS}
        for number, line in enumerate((folder / "case").read_text().splitlines(), 1):
            if not line or line.startswith("#"):
                continue
            key, _, value = line.partition(":")
            if key not in KEYS or (self.keys[key] and key not in MANY):
                raise ValueError(f"{folder / 'case'}:{number}: unknown or repeated key {key!r}")
            self.keys[key].append(value.strip())
        if not self.one("pins"):
            raise ValueError(f"{folder / 'case'}: it does not say what it pins")

    def one(self, key, otherwise=""):
        return self.keys[key][0] if self.keys[key] else otherwise

    def kept_text(self, name):
        path = self.folder / name
        return path.read_text() if path.exists() else None

    def kept_model(self, version):
        """What is kept of one docker compose, or of difyd where that differs from both; None: it refuses."""
        text = self.kept_text(f"model-{version}.json") or self.kept_text("model.json")
        return json.loads(text) if text and version not in self.refusals() else None

    def kept_yaml(self, version):
        return self.kept_text(f"model-{version}.yaml") or self.kept_text("model.yaml")

    def refusals(self):
        """version -> "exit code: words" """
        lines = (self.kept_text("refusal") or "").splitlines()
        return {line.split()[0]: line.split(" ", 1)[1] for line in lines}

    def run(self, program, form="json"):
        """Runs `PROGRAM ... config` on a copy of the input in a folder called "case"."""
        with tempfile.TemporaryDirectory(prefix="difyd-case-") as above:
            folder = pathlib.Path(above) / "case"
            shutil.copytree(self.folder, folder, ignore=lambda at, names: KEPT & set(names)
                            if pathlib.Path(at) == self.folder else ())
            words = [w.replace("{folder}", str(folder)) for w in shlex.split(self.one("args", "-f compose.yaml"))]
            command = [*program, *words, "config", "--format", form, *shlex.split(self.one("services"))]
            env = {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent-home",
                   **dict(e.split("=", 1) for e in self.keys["env"])}
            given = (folder / self.one("stdin")).read_text() if self.one("stdin") else ""
            done = subprocess.run(command, cwd=folder / self.one("cwd"), env=env, input=given, text=True,
                                  capture_output=True, timeout=60, check=False)

            def placeless(text):
                return text.replace(str(folder), "{folder}").replace(above, "{above}")
        out, said = placeless(done.stdout), placeless(done.stderr).strip()
        if done.returncode:
            return Outcome(done.returncode, None, "", said)
        return Outcome(0, with_octal_modes(json.loads(out)) if form == "json" else None, out, said)


def with_octal_modes(model):
    """The one thing that the two print differently for the same: file modes are numbers before v2.34."""
    for service in model.get("services", {}).values():
        for kind in ("secrets", "configs"):
            for use in service.get(kind) or []:
                if isinstance(use.get("mode"), int):
                    use["mode"] = "0%o" % use["mode"]
    return model


def as_text(model):
    return json.dumps(model, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def all_cases(only=""):
    return [case for case in (Case(path.parent) for path in sorted(CASES.glob("*/*/case"))) if only in case.name]
