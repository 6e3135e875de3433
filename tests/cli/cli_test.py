"""difyd's command line without a daemon and without an engine: help, mistakes, JSON, exit codes."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

BIN = pathlib.Path(os.environ["DIFYD_BIN"])


class CommandLine(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="difyd-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def difyd(self, *words):
        environment = dict(os.environ, DIFYD_SOCKET=str(self.folder / "no.sock"),
                           DOCKER_HOST=f"unix://{self.folder}/docker.sock")
        done = subprocess.run([BIN / "difyd", *words], cwd=self.folder, env=environment, text=True,
                              capture_output=True, timeout=20, check=False)
        return done.returncode, done.stdout, done.stderr

    def error(self, *words):
        """The exit code and the error of a command that is given --json: one object, alone on stdout."""
        code, out, err = self.difyd(*words)
        self.assertEqual(err, "", words)
        document = json.loads(out)
        self.assertEqual(list(document), ["error"])
        self.assertGreaterEqual(set(document["error"]), {"code", "message", "remedy"})
        return code, document["error"]

    def write(self, text, name="difyd.yaml"):
        (self.folder / name).write_text(text)
        return self.folder / name

    def test_version(self):
        for words in (["--version"], ["version"]):
            code, out, err = self.difyd(*words)
            self.assertEqual((code, err), (0, ""))
            self.assertRegex(out, r"^difyd \d+\.\d+\.\d+\n$")
            self.assertRegex(json.loads(self.difyd("--json", *words)[1])["version"], r"^\d+\.\d+\.\d+$")

    def test_help_of_a_command_is_short_and_points_to_the_rest(self):
        code, whole, _ = self.difyd("--help")
        self.assertEqual(code, 0)
        for line in ("0    done", "6    held", "A first evening", "--socket", "--json", "\"remedy\""):
            self.assertIn(line, whole)
        for words in (["status"], ["upgrade"], ["restart"], ["migrations", "log"], ["config", "check"]):
            code, text, _ = self.difyd(*words, "--help")
            self.assertEqual(code, 0)
            self.assertNotIn("A first evening", text)
            self.assertIn("--json, --config FILE, --socket PATH", text)

    def test_an_unknown_command_names_the_nearest(self):
        code, out, err = self.difyd("statsu")
        self.assertEqual((code, out), (2, ""))
        self.assertEqual(err, "difyd: there is no command difyd statsu\n       Did you mean difyd status?\n")
        self.assertEqual(self.difyd("--config", "/x", "upgrad", "1.2.3")[0], 2)
        self.assertIn("difyd --help", self.difyd("xyzzy")[2])
        self.assertIn("Did you mean difyd config check?", self.difyd("config", "chek", "--json")[1])
        self.assertIn("Did you mean difyd migrations log?", self.difyd("migrations", "logs")[2])

    def test_wrong_usage_is_one_error_with_code_2(self):
        for words, expected in ((["logs", "--tail", "x"], "a number of lines or all"),
                                (["logs", "--tail", "-1"], "a number of lines or all"),
                                (["upgrade"], "wants a version"),
                                (["upgrade", "--follow", "1.2.3"], "not both"),
                                (["status", "--no-such"], "--no-such"),
                                (["migrations", "log", "a", "b"], "b"),
                                (["plan", "1.2.3", "1.2.4"], "1.2.4"),
                                ([], "no command")):
            code, out, err = self.difyd(*words)
            self.assertEqual((code, out), (2, ""), words)
            self.assertIn(expected, err)
            self.assertEqual(err.count(expected), 1, err)
            code, error = self.error(*words, "--json")
            self.assertEqual((code, error["code"]), (2, "usage"), words)
            self.assertIn(expected, error["message"])

    def test_without_a_daemon_every_command_says_so_with_code_3(self):
        for words in (["status"], ["ps"], ["up"], ["down"], ["restart", "api"], ["plan"], ["upgrade", "1.2.3"],
                      ["upgrade", "--follow"], ["resume"], ["migrations"], ["migrations", "log", "x"], ["history"]):
            code, out, err = self.difyd(*words)
            self.assertEqual((code, out), (3, ""), words)
            self.assertIn("difyd serve", err)
            code, error = self.error(*words, "--json")
            self.assertEqual((code, error["code"]), (3, "daemon-not-running"), words)

    def test_logs_need_the_engine(self):
        config = self.write(f"storage: {{root: /srv/dify}}\nengine: {{host: 'unix://{self.folder}/none.sock'}}\n")
        code, out, err = self.difyd("--config", config, "logs")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("none.sock", err)
        self.assertIn(f"engine.host of {config}", err)
        self.assertNotIn("DOCKER_HOST", err)
        code, error = self.error("--config", config, "--json", "logs", "api")
        self.assertEqual(code, 1)
        self.assertIn("none.sock", error["message"])

        code, out, err = self.difyd("--config", "/no/such.yaml", "logs")  # DOCKER_HOST serves then
        self.assertEqual((code, out), (1, ""))
        self.assertIn("docker.sock", err)
        self.assertIn("DOCKER_HOST", err)

    def test_a_bad_configuration_has_its_place(self):
        config = self.write(f"storage:\n  root: /srv/dify\ndatabse: {{}}\nreleases: {{source: {self.folder}}}\n")
        code, out, err = self.difyd("--config", config, "config", "check")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("difyd.yaml:3:1: unknown key databse", err)
        code, out, err = self.difyd("--config", config, "config", "check", "--json")
        document = json.loads(out)
        self.assertEqual((code, err, document["good"]), (2, "", False))
        self.assertEqual([(e["file"], e["line"], e["column"]) for e in document["errors"]], [(str(config), 3, 1)])
        for words in (["config"], ["check"]):
            code, error = self.error("--config", config, *words, "--json")
            self.assertEqual((code, error["code"], error["line"]), (2, "config-unknown-key", 3), words)
        config.write_text("storage: {root: /srv/dify}\nreleases:\n  source: /no/such/folder\n")
        code, _, err = self.difyd("--config", config, "config", "check")
        self.assertEqual(code, 2)
        self.assertIn("difyd.yaml:3:3: releases.source is /no/such/folder, which is no folder", err)
        self.assertIn("dify-<version>", err)
        code, error = self.error("--config", self.folder / "none.yaml", "config", "--json")
        self.assertEqual((code, error["code"]), (2, "config-unreadable"))

    def test_a_secret_that_everybody_may_read_is_warned_of(self):
        config = self.write("storage: {root: /srv/dify}\nenvironment: {SECRET_KEY: hush-hush}\n"
                            f"releases: {{source: {self.folder}}}\n")
        config.chmod(0o644)
        code, _, err = self.difyd("--config", config, "config", "check")
        self.assertEqual(code, 0)
        self.assertIn(f"warning: {config} can be read by every user of this machine", err)
        self.assertIn("environment.SECRET_KEY", err)
        self.assertNotIn("hush", err)
        config.chmod(0o640)
        self.assertEqual(self.difyd("--config", config, "config", "check")[::2], (0, ""))

    def test_a_configuration_that_is_missing_or_secret_says_what_to_do(self):
        code, _, err = self.difyd("--config", self.folder / "none.yaml", "config", "check")
        self.assertEqual(code, 2)
        self.assertIn("difyd init", err)
        config = self.write("storage: {root: /srv/dify}\n")
        config.chmod(0o600)
        self.folder.chmod(0o755)
        if os.geteuid() != 0:
            self.skipTest("needs root, to be another user")
        copy = pathlib.Path("/tmp") / f"{self.folder.name}-difyd"
        copy.write_bytes((BIN / "difyd").read_bytes())
        copy.chmod(0o755)
        self.addCleanup(copy.unlink)
        as_nobody = lambda *words: subprocess.run(
            ["setpriv", "--reuid=65534", "--clear-groups", copy, "--config", config, *words], cwd="/", text=True,
            capture_output=True, timeout=20, check=False, env={"PATH": os.environ["PATH"]})
        done = as_nobody("config", "check", "--json")
        self.assertEqual((done.returncode, json.loads(done.stdout)["errors"][0]["code"]), (2, "config-denied"))
        if pathlib.Path("/run/difyd/difyd.sock").exists():
            self.skipTest("a difyd serves on this machine")
        done = as_nobody("status")
        self.assertEqual(done.returncode, 3)
        self.assertIn(f"cannot read {config}: Permission denied", done.stderr)
        self.assertIn("sudo", done.stderr)
        self.assertNotIn("systemctl start", done.stderr)

    def test_the_reference_as_json_has_every_key(self):
        code, out, _ = self.difyd("config", "reference", "--json")
        self.assertEqual(code, 0)
        keys = {each["key"]: each for each in json.loads(out)}
        self.assertTrue(keys["storage.root"]["required"])
        self.assertEqual(keys["database.port"]["default"], "5432")
        text = self.difyd("config", "reference")[1]
        for name, key in keys.items():
            self.assertIn(name.split(".")[-1] + ": ", text)
            self.assertTrue(key["description"])

    def test_compose_errors_as_json(self):
        code, error = self.error("compose", "--json", "config")
        self.assertEqual((code, error["code"]), (1, "compose-file-not-found"))
        path = self.write("services:\n  a: {image: i, imagee: x}\n", "compose.yaml")
        for words in (["--json", "compose", "config"], ["compose", "--json", "up", "-d"], ["compose", "ps", "--json"]):
            code, error = self.error(*words)
            self.assertEqual((code, error["code"], error["file"], error["line"]), (1, "compose-invalid", str(path), 2), words)
        code, error = self.error("compose", "ps", "--json", "--no-such")
        self.assertEqual((code, error["code"]), (1, "usage"))
        code, error = self.error("--json", "compose", "-p", "x", "ps")
        self.assertEqual((code, error["code"]), (1, "engine-not-running"))
        self.write("services:\n  a: {image: i}\n", "compose.yaml")
        self.assertEqual(list(json.loads(self.difyd("--json", "compose", "config")[1])["services"]), ["a"])

    def release(self, version, example):
        docker = self.folder / "bundles" / f"dify-{version}" / "docker"
        docker.mkdir(parents=True)
        (docker / "docker-compose.yaml").write_text(f"services: {{api: {{image: 'langgenius/dify-api:{version}'}}}}\n")
        (docker / ".env.example").write_text(example)

    def test_env_diff(self):
        self.release("1.9.2", "SECRET_KEY=sk-public\nDB_HOST=db\nEDITION=A\n")
        self.release("1.10.1", "SECRET_KEY=\nDB_HOST=db_postgres\nDEPLOYMENT_EDITION=A\n")
        (self.folder / "advisories.yaml").write_text(
            "format: 1\nnewest_known: 1.10.1\nadvisories: []\nrenamed_keys: {EDITION: DEPLOYMENT_EDITION}\n")
        config = self.write(f"storage: {{root: {self.folder}}}\nstate_dir: {self.folder}\n"
                            f"releases: {{source: {self.folder}/bundles, advisories: {self.folder}/advisories.yaml}}\n")
        diff = ["--config", str(config), "env", "diff"]
        code, out, err = self.difyd(*diff, "1.9.2", "1.10.1")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("what is in force is not known", out)
        # Where the old release has run, what it ran with is compared too.
        ran = self.folder / "releases/dify-1.9.2/docker"
        ran.mkdir(parents=True)
        (ran / ".env").write_text("SECRET_KEY=hidden\nDB_HOST=db\nEDITION=B\n")
        for text in (self.difyd(*diff, "1.9.2", "1.10.1")[1], self.difyd(*diff, "--json", "1.9.2", "1.10.1")[1]):
            self.assertNotIn("hidden", text)
            self.assertNotIn("sk-public", text)
        found = {each["key"]: each for each in json.loads(text)["differences"]}
        self.assertEqual((found["EDITION"]["kind"], found["EDITION"]["matters"]), ("renamed", "own value"))
        self.assertEqual((found["SECRET_KEY"]["in_force"], found["SECRET_KEY"]["then_in_force"]), ("set", "set"))
        self.assertEqual(found["DB_HOST"]["then_in_force"], "db_postgres")
        code, error = self.error(*diff, "1.9.2", "1.10.2", "--json")
        self.assertEqual((code, error["code"]), (2, "release-unknown"))
        code, error = self.error("--config", str(config), "env", "dif", "--json")
        self.assertIn("difyd env diff", error["remedy"])
        # Without the file the renamed keys are not known, and that is said.
        (self.folder / "advisories.yaml").unlink()
        code, out, err = self.difyd(*diff, "1.9.2", "1.10.1")
        self.assertEqual(code, 0)
        self.assertIn("which keys were renamed is not known", err)


if __name__ == "__main__":
    unittest.main()
