"""dockerd is killed and starts again; a human starts the old version with docker compose."""
import os
import pathlib
import re
import subprocess
import sys
import unittest

import scene
from machine import SOURCE
from own_engine import OwnEngine
from scene import LONG, Mishap, Scene, slow

sys.path.insert(0, str(SOURCE / "tests/oracle"))
import oracle  # noqa: E402

scene.machine.need_engine()


class Human(unittest.TestCase):
    """docker compose up -d of the old version's folder while the upgrade runs."""

    def up(self, program):
        def act(s):
            folder = pathlib.Path(s.ledger()["deployed"]["bundle"])
            folder = folder if (folder / ".env").exists() else folder / "docker"
            with open(s.m.folder / "compose.log", "a") as log:
                ups.append(subprocess.Popen([program, "-p", s.m.project, "up", "-d"], cwd=folder, stdout=log, stderr=log,
                                            env={**os.environ, "DOCKER_HOST": s.m.engine}, start_new_session=True))

        def end(_):
            """Who begins only now will act after the commit, out of the guard's hands."""
            for each in ups:
                if each.poll() is None:
                    each.kill()
                each.wait()
        self.ups = ups = []
        self.addCleanup(end, None)
        return act, end

    def meet(self, compose, steps, to=None):
        program = oracle.program(compose)
        if program is None:
            self.skipTest(f"docker compose {compose} could not be had")
        s = Scene(self)
        for step in steps:
            act, end = self.up(program)
            version = to or s.next_version()
            result = s.upgrade(version, Mishap(step, act), Mishap("start", end, "done"))
            if result == "held":
                self.assertEqual(s.upgrade(version), "done")
        return s

    def test_up_of_the_old_version_in_the_migration(self):
        for _ in range(3):
            s = self.meet("2.40", ["migrate"], LONG)
            # Docker compose starts no api where the guard was quick with what api waits for.
            if re.search(f"ended container {s.m.project}-(api|plugin_daemon|web)-1 ", (s.m.folder / "difyd.log").read_text()):
                return
            # Both made redis anew, and docker compose gave up before it started anything.
            self.assertNotEqual([each.returncode for each in self.ups], [0])
        self.fail("docker compose never came to start anything")

    @slow
    def test_up_of_the_old_version_at_every_step(self):
        for compose in ("2.26", "2.40"):
            self.meet(compose, ["drain", "stop", "backup", "migrate", "start"])


@slow
class Engine(unittest.TestCase):
    """The stack runs on an engine of the test's own; the database is elsewhere, as Cloud SQL is."""

    def setUp(self):
        self.engine = OwnEngine("crash")
        self.addCleanup(self.engine.close)

    def kill_dockerd(self, s):
        command = self.engine.kill()
        self.engine.start(command, s.m.folder / "dockerd.log")

    def test_dockerd_is_killed_at_every_step(self):
        s = Scene(self, engine=self.engine.host)
        results = s.at_every_step(self.kill_dockerd)
        print(results, flush=True)


if __name__ == "__main__":
    unittest.main()
