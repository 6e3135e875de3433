"""The cases of tests/stack/cases: one folder each, with a compose file whose first lines say what it pins and how
it is run, and what docker compose 2.26 and 2.40 then asked of an engine of API 1.41 (docker-compose-*.json).

    # pins: one sentence
    # run: up -d --scale a=2           default: up --no-start; words NAME=VALUE before it are environment
    # before: X=1 up --no-start        the same program does this first, unseen (repeatable)
    # engine: /networks/create {...}   what must be there already; IMAGE-like names as in the file (repeatable)
    # oracles: 2.40                    where only one of them knows the feature
    # differs: 2.26 state.networks.x: why    a field in which difyd is another on purpose; it has to be (repeatable)
    # elsewhere: 2.26 state.networks.x: why  the same, on engines of another API only; there it may be
    # fails                            both refuse; what they had asked for by then is compared
"""
import contextlib
import fcntl
import json
import os
import pathlib
import re
import shlex
import shutil

import bench
import engine_state

HERE = pathlib.Path(__file__).resolve().parent
CASES = HERE / "cases"
VERSIONS = {"2.26": "2.26.1", "2.40": "2.40.3"}
# Absolute paths are in labels and hashes: the folder is the same at every run.
PLACE = pathlib.Path("/tmp/difyd-cases")
IMAGES = {
    "difyd-test/case:1": 'CMD ["sh"]',
    "difyd-test/case:2": ['CMD ["sleep", "60"]', "ENV OF=image"],
    "difyd-test/case-volume:1": ['CMD ["sleep", "60"]', "VOLUME /kept"],
}
RECORDED_ON = "1.41"


class Case:
    def __init__(self, folder):
        self.folder, self.name = folder, folder.name
        self.project = "difydcase-" + self.name
        head = {}
        for line in (folder / "compose.yaml").read_text().splitlines():
            found = re.match(r"# ([a-z]+)(?:: (.*))?$", line)
            if not found:
                break
            head.setdefault(found[1], []).append(found[2] or "")
        self.pins = head["pins"][0]
        self.run_words = head.get("run", ["up --no-start"])[0]
        self.before = head.get("before", [])
        self.engine = head.get("engine", [])
        self.oracles = head.get("oracles", [" ".join(VERSIONS)])[0].split()
        self.fails = "fails" in head
        self.differs = [line.split(" ", 2) for line in head.get("differs", [])]
        self.elsewhere = [line.split(" ", 2) for line in head.get("elsewhere", [])]
        self.place = PLACE / self.name

    def expected_file(self, version):
        return self.folder / f"docker-compose-{version}.json"

    def expected(self, version):
        return json.loads(self.expected_file(version).read_text())

    def differences(self, version, theirs, ours):
        """Beside those on purpose, and those on purpose that are none."""
        found = list(bench.oracle.differences(ours, theirs))
        recorded = same_engine()
        for of, field, _ in self.differs + ([] if recorded else self.elsewhere):
            mine = [line for line in found if of == version and line.startswith(field)]
            found = [line for line in found if line not in mine]
            if of == version and recorded and not mine:
                found.append(f"{field} is no difference")
        return found

    @contextlib.contextmanager
    def world(self):
        """Its folder and what must be on the engine; nothing of it afterwards."""
        self.clear()
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.folder, self.place)
        try:
            for line in self.engine:
                path, body = line.split(" ", 1)
                status, answer = bench.api("POST", path, json.loads(body))
                assert status < 300, answer
            yield
        finally:
            self.clear()
            shutil.rmtree(self.place, ignore_errors=True)

    def clear(self):
        bench.remove_project(self.project)
        for line in self.engine:
            path, body = line.split(" ", 1)
            body = json.loads(body)
            name = body.get("Name") or path.split("name=")[1]
            bench.api("DELETE", f"/{path.split('/')[1]}/{name}?force=1")

    def command(self, program, words):
        parts = shlex.split(words)
        env = {}
        while parts and re.match(r"[A-Z_]+=", parts[0]):
            key, value = parts.pop(0).split("=", 1)
            env[key] = value
        return [*program, "-f", self.place / "compose.yaml", "-p", self.project, *parts], env

    def asked_by(self, program, images):
        """What the program asks of the engine for this case: {"exit", "state"}."""
        with self.world():
            for words in self.before:
                command, env = self.command(program, words)
                engine_state.Asked(command, self.project, self.place, images, env)
            command, env = self.command(program, self.run_words)
            asked = engine_state.Asked(command, self.project, self.place, images, env, ok=False)
            failed = asked.done.returncode != 0
            if failed != self.fails and same_engine():  # what one engine refuses, another may take
                raise AssertionError(f"exit {asked.done.returncode}\n{asked.done.stdout}{asked.done.stderr}")
            return {"fails": failed, "state": asked.state}


def all_cases(names=()):
    found = [Case(folder) for folder in sorted(CASES.iterdir()) if folder.is_dir()]
    return [each for each in found if not names or each.name in names]


def difyd(version):
    return [bench.DIFYD, "compose", "--compose-version", VERSIONS[version]]


@contextlib.contextmanager
def alone(what="cases"):
    """Names and folders are the same at every run: one run of these at a time on a machine."""
    with open(f"/tmp/difyd-{what}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        PLACE.mkdir(mode=0o755, exist_ok=True)
        if PLACE.is_symlink() or PLACE.stat().st_uid != os.geteuid():
            raise AssertionError(f"{PLACE} is not ours")
        yield


def make_images():
    """id -> reference"""
    for reference, changes in IMAGES.items():
        bench.make_image(reference, changes)
    return {bench.api("GET", f"/images/{reference}/json")[1]["Id"]: reference for reference in IMAGES}


def same_engine():
    return bench.api("GET", "/version")[1]["ApiVersion"] == RECORDED_ON
