"""Dify's published files with stand-in images: what difyd and docker compose ask of the engine is the same, and
each takes over what the other started as it is. Without DIFYD_TEST_ALL=1 only 1.11.4 and docker compose 2.26.

    bundles_test.py [version...]
"""
import os
import sys
import unittest

import bench
import bundles
import cases
import engine_state

ALL = os.environ.get("DIFYD_TEST_ALL") == "1"
CHOSEN = [word for word in sys.argv[1:] if not word.startswith("-")]
VERSIONS = cases.VERSIONS if ALL or CHOSEN else {"2.26": cases.VERSIONS["2.26"]}


def chosen():
    wanted = CHOSEN or ([] if ALL else ["1.11.4"])
    return [file for file in bundles.published_files() if not wanted or bundles.Bundle(file).version in wanted]


class Published(unittest.TestCase):
    def each(self, work):
        files = chosen()
        if not files:
            self.skipTest(f"none of Dify's files under {bundles.ROOT} (DIFYD_BUNDLES)")
        for version in VERSIONS:
            program = bench.oracle.program(version)
            if program is None:
                self.skipTest(f"docker compose {version} could not be had")
            for file in files:
                with self.subTest(file=str(file), docker_compose=version), bundles.Bundle(file) as bundle:
                    work(bundle, [program], cases.difyd(version))

    def asked(self, bundle, program):
        command = bundle.command(program, "--profile", "*", "up", "--no-start")
        try:
            return engine_state.Asked(command, bundle.project, bundle.place, bundle.images).state
        finally:
            bundle.remove()

    def test_the_same_is_asked_with_every_profile(self):
        def compare(bundle, docker_compose, difyd):
            theirs, ours = self.asked(bundle, docker_compose), self.asked(bundle, difyd)
            self.assertEqual(len(theirs["containers"]), len(bundle.model["services"]))
            self.assertEqual(list(bench.oracle.differences(ours, theirs)), [])

        self.each(compare)

    def test_each_takes_over_what_the_other_started(self):
        def take_over(bundle, docker_compose, difyd):
            bundle.run(docker_compose, "up", "-d")
            before = bundle.containers()
            self.assertGreaterEqual(len(before), 5)
            again = bundle.run([bench.DIFYD, "compose"], "up", "-d")
            self.assertEqual(bundle.containers(), before, again.stderr)
            bundle.run([bench.DIFYD, "compose"], "down", "-t", "5")
            self.assertEqual(bundle.containers(), {})
            bundle.run(difyd, "up", "-d")
            self.docker_compose_works(bundle, docker_compose)

        self.each(take_over)

    def docker_compose_works(self, bundle, docker_compose):
        before = bundle.containers()
        running = set(bundle.run(docker_compose, "ps", "--services").stdout.split())
        self.assertLessEqual({"api", "worker", "nginx"}, running)
        self.assertIn("stands in", bundle.run(docker_compose, "logs", "api").stdout)
        bundle.run(docker_compose, "exec", "-T", "api", "/bin/busybox", "true")
        bundle.run(docker_compose, "restart", "-t", "5", "web")
        bundle.run(docker_compose, "up", "-d")
        after = bundle.containers()
        self.assertEqual({n: i for n, (i, _) in after.items()}, {n: i for n, (i, _) in before.items()}, "re-created")
        bundle.run(docker_compose, "down", "-t", "5")
        self.assertEqual(bundle.containers(), {})


if __name__ == "__main__":
    bench.need_engine()
    with cases.alone("bundles"):
        unittest.main(argv=[sys.argv[0], *[word for word in sys.argv[1:] if word.startswith("-")]], warnings="ignore")
