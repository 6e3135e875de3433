#!/usr/bin/env python3
"""The simulator keeps its own promises: releases are complete and the images behave as the
README says. What needs the engine is skipped without DIFYD_ENGINE_READY."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "lib"))
sys.dont_write_bytecode = True

import catalogue  # noqa: E402
from engine import Engine, EngineError  # noqa: E402


def number(version):
    return tuple(int(part) for part in version.split("."))


class Releases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="difyd-releases-")
        cls.addClassCleanup(cls.folder.cleanup)
        subprocess.run([HERE / "bundles/make-bundles", cls.folder.name], check=True)

    def text(self, version, name):
        return (Path(self.folder.name) / f"dify-{version}/docker" / name).read_text()

    def test_every_version_has_its_files(self):
        for version, facts in catalogue.VERSIONS.items():
            compose = self.text(version, "docker-compose.yaml")
            self.assertIn(f"image: langgenius/dify-api:{version}\n", compose)
            self.assertNotRegex(compose, r"@[A-Z_]+@|#if|#end")
            self.assertEqual(facts["layout"] == "env_file", "- ./.env\n" in compose)
            self.text(version, "volumes/sandbox/conf/config.yaml")

    def test_up_to_1_14_0_the_compose_file_names_every_key(self):
        for version in catalogue.VERSIONS:
            keys = [line.split("=")[0] for line in self.text(version, ".env.example").splitlines()
                    if "=" in line and not line.startswith("#")]
            self.assertEqual(len(keys), len(set(keys)), version)
            if number(version) < (1, 14, 1):
                compose = self.text(version, "docker-compose.yaml")
                missing = [key for key in keys if key != "COMPOSE_PROFILES" and f"{key}: ${{{key}:-" not in compose]
                self.assertEqual(missing, [], version)

    def test_every_image_of_the_default_profiles_is_made(self):
        made = {tag for image in catalogue.images() for tag in image.tags}
        for version, facts in catalogue.VERSIONS.items():
            self.assertLessEqual({f"langgenius/dify-{name}" for name in (
                f"api:{version}", f"web:{version}", f"sandbox:{facts['sandbox']}",
                f"plugin-daemon:{facts['plugin_daemon']}-local")}, made)


class Images(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not os.environ.get("DIFYD_ENGINE_READY"):
            raise unittest.SkipTest("no engine with the simulator's images; packaging/test provides it")
        cls.engine = Engine()

    def run_flask(self, version, *arguments):
        """The exit code of a one-off container without a network."""
        body = {"Image": f"langgenius/dify-api:{version}", "Entrypoint": ["flask"], "Cmd": list(arguments),
                "Env": ["DB_HOST=127.0.0.1"], "HostConfig": {"NetworkMode": "none"}}
        headers = {"Content-Type": "application/json"}
        container = json.loads(self.engine.call("POST", "/containers/create", json.dumps(body), headers))["Id"]
        self.addCleanup(self.engine.call, "DELETE", f"/containers/{container}?force=true")
        self.engine.call("POST", f"/containers/{container}/start")
        code = json.loads(self.engine.call("POST", f"/containers/{container}/wait"))["StatusCode"]
        return code, self.engine.call("GET", f"/containers/{container}/logs?stdout=1")

    def test_heads_are_told_without_a_database(self):
        for version in ("1.9.2", "1.11.4", "1.12.3", "1.15.0"):
            code, output = self.run_flask(version, "db", "heads")
            self.assertEqual(code, 0)
            self.assertIn(f"{catalogue.VERSIONS[version]['head']} (head)", output)

    def test_current_and_upgrade_fail_without_a_database(self):
        self.assertEqual(self.run_flask("1.11.4", "db", "current")[0], 1)
        self.assertEqual(self.run_flask("1.11.4", "db", "upgrade")[0], 1)

    def test_nothing_is_made_twice(self):
        built = subprocess.run([HERE / "build-images"], capture_output=True, text=True, check=True)
        self.assertIn("there already", built.stdout)

    def test_an_engine_that_is_not_there_is_one_sentence(self):
        with self.assertRaises(EngineError) as caught:
            Engine("unix:///nonexistent.sock").images()
        self.assertIn("cannot reach the engine", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
