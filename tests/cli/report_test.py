"""difyd report without a daemon and without an engine: one archive, and none of the planted secrets in it."""
import base64
import json
import os
import pathlib
import stat
import subprocess
import tarfile
import tempfile
import unittest
import urllib.parse

DIFYD = pathlib.Path(os.environ["DIFYD_BIN"]) / "difyd"

# What difyd knows: of its configuration.
KNOWN = {
    "database": "d4tabase+pass/word=",
    "redis": "r3dis&pass<word>",
    "secret-key": 'quo"ted\\secret key é',
    "rehearsal": "rehearsal.pass-word",
}
# What it can only guess: each in the text that it is found in.
GUESSED = {
    "postgresql://dify:GuessMe0@db:5432/dify": "GuessMe0",
    "https://GuessMe1@github.example/dify": "GuessMe1",
    "API_KEY=GuessMe2": "GuessMe2",
    '"client_secret": "GuessMe3 with blanks"': "GuessMe3",
    "password: 'GuessMe4'": "GuessMe4",
    "Authorization: Bearer GuessMe5abcdef": "GuessMe5",
    "authorization: Basic R3Vlc3NNZTY6eHg=": "R3Vlc3NNZTY6eHg",
    "-----BEGIN RSA PRIVATE KEY-----\nGuessMe7\nGuessMe7\n-----END RSA PRIVATE KEY-----": "GuessMe7",
    "token sk-GuessMe8aaaaaaaaaaaaaaaa in a sentence": "GuessMe8",
    "eyJhbGciOiJIUzI1NiJ9.GuessMe9.c2lnbmF0dXJl": "GuessMe9",
    r'{\"apiKey\":\"GuessMe10\",\"x\":1}': "GuessMe10",
    "AKIAGUESSME11GUESSME": "AKIAGUESSME11GUESSME",
    "redis://:GuessMe12@redis:6379/1": "GuessMe12",
    "CELERY_BROKER_URL=GuessMe13": "GuessMe13",
    "GET /v1?access_token=GuessMe14&x=1": "GuessMe14",
}
# What must stay, or the report would help nobody.
KEPT = ("mount-missing", "nothing answers on 10.0.0.3:5432", "primary key: id", "https://github.example/dify?x=1",
        "password_file", "secret-key-public")


class Report(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="difyd-report-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "run").mkdir()
        for name, value in KNOWN.items():
            (self.folder / name).write_text(value + "\n")
        self.config = self.folder / "difyd.yaml"
        self.config.write_text(f"""storage: {{root: {self.folder}}}
state_dir: {self.folder}/var
runtime_dir: {self.folder}/run
engine: {{host: "unix://{self.folder}/nobody.sock"}}
listen: {{control: {self.folder}/run/difyd.sock}}
releases: {{url: "https://me:UrlPassword7@mirror.example/{{version}}.tar.gz"}}
database: {{kind: external, host: db, user: dify, password_file: {self.folder}/database}}
redis: {{kind: external, host: redis, password_file: {self.folder}/redis}}
rehearsal: {{host: other, user: x, password_file: {self.folder}/rehearsal}}
environment: {{MAIL_TYPE: smtp, SMTP_PASSWORD: InlinePassword7, SMTP_SERVER: mail.example}}
environment_files: {{SECRET_KEY: {self.folder}/secret-key}}
""")
        told = "\n".join([*GUESSED, *KEPT, *self.forms()])
        (self.folder / "run/metrics.prom").write_text(told)
        (self.folder / "run/status.json").write_text(json.dumps({"log": told}))

    @staticmethod
    def forms():
        """A known secret as it may be met."""
        for value in KNOWN.values():
            yield f"the server said that {value} is wrong"
            yield urllib.parse.quote(value, safe="")
            yield base64.b64encode(value.encode()).decode()
            for ascii in (False, True):
                once = json.dumps(value, ensure_ascii=ascii)
                yield once[1:-1]
                yield json.dumps(once, ensure_ascii=ascii)[3:-3]

    def report(self, *words, **options):
        return subprocess.run([DIFYD, "--config", self.config, "report", *words], text=True, capture_output=True, timeout=120,
                              cwd=self.folder, check=False, **options)

    def test_nothing_that_was_planted_is_in_it(self):
        done = self.report("--output", "r.tar.gz", "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        archive = self.folder / "r.tar.gz"
        self.assertEqual(stat.S_IMODE(archive.stat().st_mode), 0o600)
        told = json.loads(done.stdout)
        self.assertEqual((told["file"], told["bytes"]), ("r.tar.gz", archive.stat().st_size))
        with tarfile.open(archive) as tar:
            files = {each.name: tar.extractfile(each).read().decode() for each in tar.getmembers()}
            self.assertEqual({each.mode for each in tar.getmembers()}, {0o600})
        self.assertEqual(sorted(files), sorted("r/" + name for name in told["files"]))
        planted = [*KNOWN.values(), *GUESSED.values(), *self.forms(), "UrlPassword7", "InlinePassword7"]
        planted = [secret for secret in planted if not secret.startswith("the server said")]
        for name, text in files.items():
            for secret in planted:
                self.assertNotIn(secret, text, f"{name}: {secret}")
        for kept in KEPT:
            self.assertIn(kept, files["r/published/metrics.prom"])
        self.assertIn("mail.example", files["r/configuration/difyd.yaml"])
        self.assertIn("mail.example", files["r/configuration/in-force.yaml"])
        self.assertIn("difyd ", files["r/about.txt"])
        self.assertIn("database", files["r/checks.txt"])  # the probes ran without the daemon
        self.assertNotIn(".password", done.stderr)

    def test_a_broken_configuration_is_reported_too(self):
        self.config.write_text(self.config.read_text() + "no_such_key: 1\n")
        done = self.report("--output", "b.tar")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with tarfile.open(self.folder / "b.tar") as tar:
            mistakes = tar.extractfile("b/configuration/mistakes.txt").read().decode()
        self.assertIn("no_such_key", mistakes)
        self.assertIn("look at it before you give it away", done.stdout)

    def test_nothing_is_overwritten_and_a_place_is_found(self):
        (self.folder / "there.tar.gz").write_text("mine")
        done = self.report("--output", "there.tar.gz")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("File exists", done.stderr)
        self.assertEqual((self.folder / "there.tar.gz").read_text(), "mine")
        self.assertEqual(self.report().returncode, 0)
        self.assertEqual(len(list(self.folder.glob("difyd-report-2*.tar.gz"))), 1)

    @unittest.skipIf(os.geteuid() != 0, "needs root to become somebody else")
    def test_somebody_who_may_not_read_the_secrets_gets_none(self):
        self.folder.chmod(0o777)
        done = self.report(user=65534, group=65534)
        self.assertEqual(done.returncode, 4)
        self.assertIn("root", done.stderr)
        self.assertEqual(list(self.folder.glob("difyd-report-*")), [])


if __name__ == "__main__":
    unittest.main()
