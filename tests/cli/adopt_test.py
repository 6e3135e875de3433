"""difyd adopt and difyd init without an engine: what they read, refuse and write."""
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import tempfile
import unittest

BIN = pathlib.Path(os.environ["DIFYD_BIN"])

EXAMPLE = """SECRET_KEY=sk-published
DB_TYPE=postgresql
DB_HOST=db_postgres
DB_PORT=5432
DB_USERNAME=postgres
DB_PASSWORD=difyai123456
DB_DATABASE=dify
REDIS_HOST=redis
REDIS_PASSWORD=difyai123456
CELERY_BROKER_URL=redis://:difyai123456@redis:6379/1
VECTOR_STORE=weaviate
CONSOLE_WEB_URL=
MIGRATION_ENABLED=true
EXPOSE_NGINX_PORT=80
COMPOSE_PROFILES=${VECTOR_STORE:-weaviate},${DB_TYPE:-postgresql}
"""

COMPOSE = """services:
  api:
    image: langgenius/dify-api:@VERSION@
    environment:
      MODE: api
      SECRET_KEY: ${SECRET_KEY:-sk-published}
      DB_TYPE: ${DB_TYPE:-postgresql}
      DB_HOST: ${DB_HOST:-db_postgres}
      DB_PASSWORD: ${DB_PASSWORD:-difyai123456}
      CONSOLE_WEB_URL: ${CONSOLE_WEB_URL:-}
      MIGRATION_ENABLED: ${MIGRATION_ENABLED:-true}
    volumes: ["./volumes/app/storage:/app/api/storage"]
  web: {image: "langgenius/dify-web:@VERSION@"}
  db_postgres: {image: "postgres:15-alpine", profiles: [postgresql]}
  redis: {image: "redis:6-alpine", command: "redis-server --requirepass ${REDIS_PASSWORD:-difyai123456}"}
  weaviate: {image: "weaviate:1", profiles: [weaviate]}
  nginx:
    image: nginx:latest
    ports: ["${EXPOSE_NGINX_PORT:-80}:80"]
    volumes: ["./nginx/ssl:/etc/ssl"]
"""


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="difyd-adopt-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.config = self.folder / "etc/difyd.yaml"
        for where in (self.folder / "bundles/dify-1.11.4/docker", self.folder / "dify/docker"):
            where.mkdir(parents=True)
            (where / "docker-compose.yaml").write_text(COMPOSE.replace("@VERSION@", "1.11.4"))
            (where / ".env.example").write_text(EXAMPLE)
        self.docker = self.folder / "dify/docker"
        (self.docker / "volumes/app/storage").mkdir(parents=True)
        self.env()

    def env(self, **values):
        text = EXAMPLE
        for key, value in values.items():
            lines = [line for line in text.splitlines() if not line.startswith(key + "=")]
            text = "\n".join([*lines, f"{key}={value}"]) + "\n"
        (self.docker / ".env").write_text(text)

    def difyd(self, *words, config=None, before=()):
        environment = dict(os.environ, DOCKER_HOST=f"unix://{self.folder}/docker.sock")
        done = subprocess.run([*before, BIN / "difyd", "--config", config or self.config, *words], cwd=self.folder,
                              env=environment, text=True, capture_output=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr


class Adopt(Case):
    def adopt(self, *words, **how):
        return self.difyd("adopt", self.folder / "dify", "--releases", self.folder / "bundles", *words, **how)

    def refused(self, code, said, *words):
        exit_code, out, err = self.adopt(*words)
        self.assertEqual((exit_code, out), (code, ""), err)
        self.assertIn(said, err)
        self.assertFalse(self.config.exists())
        return err

    def test_it_writes_a_good_configuration_and_tells_no_secret(self):
        self.env(SECRET_KEY="hush-secret", DB_PASSWORD="hush-database", CONSOLE_WEB_URL="https://dify.example",
                 MY_URL="https://me:hush-url@host/", EXPOSE_NGINX_PORT="8080")
        before = {path: path.read_bytes() for path in self.docker.rglob("*") if path.is_file()}
        code, out, err = self.adopt()
        self.assertEqual((code, err), (0, ""))
        self.assertNotIn("hush", out)
        self.assertNotIn("hush", self.config.read_text())
        self.assertIn("CONSOLE_WEB_URL EXPOSE_NGINX_PORT", out)
        self.assertEqual(self.difyd("config", "check")[0], 0)
        secrets = self.folder / "etc/secrets"
        self.assertEqual({each.name: each.read_text() for each in secrets.iterdir()},
                         {"SECRET_KEY": "hush-secret\n", "MY_URL": "https://me:hush-url@host/\n",
                          "database.password": "hush-database\n"})
        self.assertEqual(stat.S_IMODE(secrets.stat().st_mode), 0o700)
        self.assertTrue(all(stat.S_IMODE(each.stat().st_mode) == 0o600 for each in secrets.iterdir()))
        self.assertFalse(self.config.stat().st_mode & stat.S_IROTH)
        self.assertEqual({path: path.read_bytes() for path in self.docker.rglob("*") if path.is_file()}, before)
        # Nothing that is there is overwritten.
        written = self.config.read_text()
        code, out, err = self.adopt()
        self.assertEqual((code, out), (4, ""))
        self.assertIn(f"{self.config}: it is there already", err)
        self.assertEqual(json.loads(self.adopt("--json")[1])["error"]["code"], "exists")
        self.config.unlink()
        code, out, err = self.adopt()
        self.assertEqual((code, out), (4, ""))
        self.assertIn(f"{secrets}: it is there already", err)
        self.assertIn("hush-secret", (secrets / "SECRET_KEY").read_text())
        self.assertIn("8080", written)

    def test_dry_run_writes_nothing_and_json_names_everything(self):
        self.env(SECRET_KEY="hush", FOO="1")
        (self.docker / "docker-compose.override.yaml").write_text('services:\n  web: {environment: {A: b}}\n')
        (self.docker / "nginx/ssl").mkdir(parents=True)
        (self.docker / "nginx/ssl/dify.crt").write_text("x")
        code, out, err = self.adopt("--dry-run", "--json")
        self.assertEqual((code, err), (0, ""))
        document = json.loads(out)
        self.assertEqual((document["version"], document["project"], document["written"]), ("1.11.4", "docker", False))
        self.assertEqual((document["environment"], document["environment_files"], document["unknown"]),
                         (["FOO"], ["SECRET_KEY"], ["FOO"]))
        self.assertEqual([each["key"] for each in document["changed"]], ["MIGRATION_ENABLED"])
        self.assertEqual(document["by_override_files"], [{"service": "web", "differs": [], "environment": ["A"]}])
        self.assertEqual(document["own_files"], ["nginx/ssl/dify.crt"])
        self.assertIn("could not be asked", document["decide"][0])
        self.assertEqual(document["left"], ["db_postgres", "redis", "weaviate"])
        self.assertFalse(self.config.parent.exists())
        self.assertNotIn("hush", out)

    def test_what_cannot_be_adopted_says_why_with_code_2(self):
        compose = self.docker / "docker-compose.yaml"
        text = compose.read_text()
        compose.write_text(text.replace("dify-web:1.11.4", "dify-web:1.11.3"))
        self.assertIn("--version", self.refused(2, "the images are of several"))
        compose.write_text(text.replace("dify-api:1.11.4", "dify-api:latest"))
        self.refused(2, "the image of api langgenius/dify-api:latest names none")
        self.assertEqual(self.adopt("--dry-run", "--version", "1.11.4")[0], 0)
        compose.write_text(text)
        (self.folder / "same").mkdir()
        os.symlink(self.folder / "dify", self.folder / "same/dify-1.11.4")
        code, _, err = self.difyd("adopt", self.docker, "--releases", self.folder / "same")
        self.assertEqual(code, 2)
        self.assertIn("it is itself the release", err)
        self.env(DB_TYPE="mysql")
        self.refused(2, "difyd supports PostgreSQL only")
        (self.docker / ".env").write_text("SECRET_KEY=hush\nA=${B\n")
        self.assertNotIn("hush", self.refused(2, ".env"))
        (self.docker / ".env").unlink()
        self.refused(2, "it has no .env")
        compose.unlink()
        self.refused(2, "there is no compose file in it")

    def test_a_release_that_is_not_here(self):
        code, out, _ = self.difyd("adopt", self.docker, "--releases", self.folder / "none")
        self.assertEqual(code, 0)
        self.assertIn("could not be compared with the published one", out)
        self.assertIn(f"unpack release 1.11.4 to {self.folder}/none/dify-1.11.4", out)
        self.config.unlink()
        shutil.rmtree(self.folder / "etc/secrets")  # it has SECRET_KEY
        (self.docker / ".env.example").unlink()
        code, _, err = self.difyd("adopt", self.docker, "--releases", self.folder / "none")
        self.assertEqual(code, 2)
        self.assertIn("cannot find release 1.11.4", err)

    def test_the_storage_that_a_compose_file_names_and_the_key_that_the_api_keeps_there(self):
        compose = self.docker / "docker-compose.yaml"
        compose.write_text(compose.read_text().replace("./volumes/app", "${DIFY_DATA:-./volumes}/app")
                           .replace(":-sk-published", ":-"))
        (self.folder / "data/app/storage").mkdir(parents=True)
        (self.folder / "data/app/storage/.dify_secret_key").write_text("hush-stored\n")
        os.symlink(self.folder / "data", self.folder / "link")
        self.env(DIFY_DATA=str(self.folder / "link"), SECRET_KEY="")
        code, out, err = self.adopt()
        self.assertEqual(code, 0, err)
        self.assertNotIn("hush", out)
        self.assertIn(f'root: "{self.folder}/data"', self.config.read_text())
        self.assertEqual((self.folder / "etc/secrets/SECRET_KEY").read_text(), "hush-stored\n")

    def test_whoever_is_killed_leaves_nothing_that_is_used_and_the_next_try_goes_on(self):
        self.env(SECRET_KEY="hush-secret", DB_PASSWORD="hush-database")
        for call in range(1, 60):
            # The n-th write of a file is the last thing that it does.
            tracer = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,rename,renameat2,mkdir,unlink",
                      "-e", f"inject=fsync,rename,renameat2,mkdir,unlink:signal=SIGKILL:when={call}"]
            code, _, err = self.adopt(before=tracer)
            if code == 0:
                break
            self.assertEqual(code, -signal.SIGKILL, err)
            if self.config.exists():
                self.assertEqual(self.difyd("config", "check")[0], 0)
                break
        self.assertGreater(call, 5)
        self.config.unlink(missing_ok=True)
        for name in ("SECRET_KEY", "database.password", ".unfinished"):
            (self.folder / "etc/secrets" / name).unlink(missing_ok=True)
        self.assertEqual(self.adopt()[0], 0)
        self.assertEqual(sorted(each.name for each in (self.folder / "etc").iterdir()), ["difyd.yaml", "secrets"])


class Init(Case):
    def init(self, *words, **how):
        usual = {"--releases": self.folder / "bundles", "--storage": self.folder / "srv"}
        given = [word for name, value in usual.items() if name not in words for word in (name, value)]
        return self.difyd("init", *given, *words, **how)

    def test_a_new_installation_has_secrets_that_nobody_knows(self):
        code, out, err = self.init("--port", "8080")
        self.assertEqual((code, err), (0, ""))
        secrets = self.folder / "etc/secrets"
        values = {each.name: each.read_text().strip() for each in secrets.iterdir()}
        self.assertEqual(sorted(values), ["SECRET_KEY", "database.password", "redis.password"])
        self.assertTrue(all(len(each) >= 32 for each in values.values()))
        self.assertEqual(len(set(values.values())), 3)
        self.assertTrue(all(stat.S_IMODE(each.stat().st_mode) == 0o600 for each in secrets.iterdir()))
        written = self.config.read_text()
        for each in values.values():
            self.assertNotIn(each, out + written)
        self.assertEqual(self.difyd("config", "check")[0], 0)
        self.assertEqual(json.loads(self.difyd("config", "--json")[1])["version"], "1.11.4")
        self.assertTrue((self.folder / "srv").is_dir())
        code, out, err = self.init()
        self.assertEqual((code, out), (4, ""))
        self.assertIn(f"{self.config}: it is there already", err)
        self.assertEqual(self.config.read_text(), written)

    def test_servers_of_others(self):
        (self.folder / "pw").write_text("x\n")
        code, out, err = self.init("1.11.4", "--database-host", "10.0.0.3", "--database-user", "dify",
                                   "--database-port", "26155", "--database-password-file", "pw", "--vector", "pgvector", "--vector-host", "10.0.0.3",
                                   "--redis-host", "10.0.0.4", "--nfs", "10.0.0.2:/share", "--json")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(json.loads(out)["files"], [f"{self.folder}/etc/secrets/SECRET_KEY", str(self.config)])
        settings = json.loads(self.difyd("config", "--json")[1])
        self.assertEqual((settings["database"]["kind"], settings["redis"]["kind"], settings["storage"]["server"]),
                         ("external", "external", "10.0.0.2"))
        self.assertEqual(settings["database"]["password_file"], f"{self.folder}/pw")
        self.assertEqual(settings["vector"]["port"], 26155)
        self.assertFalse((self.folder / "srv").exists())
        self.config.unlink()
        (self.folder / "etc/secrets/SECRET_KEY").unlink()
        code, _, err = self.init("1.11.4", "--database-host", "10.0.0.3", "--database-user", "dify", "--database-password-file",
                                 "pw", "--vector", "pgvector", "--vector-host", "10.0.0.4", "--vector-port", "5433")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(json.loads(self.difyd("config", "--json")[1])["vector"]["port"], 5433)

    def test_a_release_that_is_an_archive_is_unpacked(self):
        (self.folder / "archives").mkdir()
        subprocess.run(["tar", "-C", self.folder / "bundles", "-czf", self.folder / "archives/dify-1.11.4.tar.gz", "dify-1.11.4"],
                       check=True)
        code, out, err = self.init("--releases", "archives")  # the newest, as nothing else was said
        self.assertEqual((code, err), (0, ""))
        self.assertIn("Dify 1.11.4", out)
        self.assertEqual(self.difyd("config", "check")[0], 0)
        self.assertTrue((self.folder / "archives/dify-1.11.4/docker/.env.example").exists())

    def test_mistakes_write_nothing(self):
        (self.folder / "data").mkdir()
        (self.folder / "data/x").touch()
        for words, code, said in ((["1.11.5"], 2, "cannot find release 1.11.5"),
                                  (["one"], 2, "one"),
                                  (["--database", "mysql"], 2, "--database is bundled or external"),
                                  (["--database", "external"], 2, "database.host is missing"),
                                  (["--database", "bundled", "--database-host", "h"], 2, "--database external"),
                                  (["--nfs", "share"], 2, "--nfs 10.0.0.2:/share"),
                                  (["--releases", "none"], 2, "there is no release in"),
                                  (["--storage", "data"], 4, "there is data in it")):
            exit_code, out, err = self.init(*words)
            self.assertEqual((exit_code, out), (code, ""), words)
            self.assertIn(said, err)
            self.assertEqual(json.loads(self.init(*words, "--json")[1])["error"]["message"], err.split("\n")[0][7:])
        self.assertFalse(self.config.parent.exists())


if __name__ == "__main__":
    unittest.main()
