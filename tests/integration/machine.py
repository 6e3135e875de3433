"""One machine for a test: its folders, its PostgreSQL, its daemon; all of it gone at the end."""
import http.client
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(os.environ["DIFYD_SOURCE"])
sys.path.insert(0, str(SOURCE / "tests"))
from ports import free_port  # noqa: E402

BIN = pathlib.Path(os.environ["DIFYD_BIN"])
BUNDLES = os.environ.get("DIFYD_BUNDLES_DIR", "")
ALL = bool(os.environ.get("DIFYD_TEST_ALL"))
# Of a case that takes long and confirms what quicker ones show.
slow = unittest.skipUnless(ALL, "only with DIFYD_TEST_ALL=1 (packaging/test --all)")


def need_engine():
    """Ends the test as skipped where there is no engine with the simulator's images."""
    if not os.environ.get("DIFYD_ENGINE_READY") or not BUNDLES:
        print("skipped: no engine with the simulator's images; packaging/test provides them")
        sys.exit(77)


def wait_until(what, condition, seconds=60):
    """The first true value of condition(); fails with `what` at the deadline."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.1)


def fill(path):
    """Fills the file system with a file at the path."""
    with open(path, "wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 12)):
                pass
        except OSError:
            pass


def get(port, path, method="GET", seconds=5, address="127.0.0.1"):
    """Status and body; 0 where nobody answers."""
    connection = http.client.HTTPConnection(address, port, timeout=seconds)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def page(port):
    """What the maintenance page says to a program; empty where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Accept": "application/json"})
        answer = connection.getresponse()
        said = json.loads(answer.read())
        return said["message"] + " " + said["detail"] if answer.status == 503 else ""
    except (OSError, ValueError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


class Machine:
    def __init__(self, version, standalone=False, settings="", database_of=None, share_of=None, engine=None):
        """`database_of`, `share_of`: another machine, whose databases or storage this one has as well.
        `engine`: of its stack, where that is not the database's."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="difyd-test-"))
        self.project = "difydtest" + secrets.token_hex(4)
        self.config = self.folder / "difyd.yaml"
        self.http, self.health = free_port(), free_port()
        self.daemon = None
        self.postgres, self.servers = {}, []
        for name in ("storage", "var", "run"):
            (self.folder / name).mkdir()
        self.storage = share_of.storage if share_of else self.folder / "storage"
        self.engine = engine or os.environ["DOCKER_HOST"]
        shutil.copy(SOURCE / "config/advisories.yaml", self.folder)
        self.version, self.standalone, self.settings = version, standalone, settings
        if database_of:
            self.postgres = database_of.postgres
        elif not standalone:
            self.postgres = self.start_postgres("db")
        self.write_config()

    def start_postgres(self, name):
        """Where it is, in the words of packaging/postgres; it goes with the machine."""
        environment = dict(os.environ, DIFYD_STATE=str(self.folder / name))
        self.servers.append(environment)
        done = subprocess.run([SOURCE / "packaging/postgres", "up"], env=environment, text=True,
                              capture_output=True, check=False)
        if done.returncode:
            raise AssertionError("no PostgreSQL: " + done.stderr)
        return dict(line.split("=", 1) for line in done.stdout.split())

    def write_config(self):
        text = f"""project: {self.project}
version: {self.version}
state_dir: {self.folder}/var
runtime_dir: {self.folder}/run
releases: {{source: {BUNDLES}, advisories: {self.folder}/advisories.yaml}}
storage: {{root: {self.storage}}}
engine: {{host: "{self.engine}"}}
listen: {{control: {self.folder}/run/difyd.sock, health: "127.0.0.1:{self.health}"}}
environment:
  EXPOSE_NGINX_PORT: "{self.http}"
  EXPOSE_NGINX_SSL_PORT: "{free_port()}"
  EXPOSE_PLUGIN_DEBUGGING_PORT: "{free_port()}"
"""
        if not self.standalone:
            where = "host: {DIFYD_POSTGRES_HOST}, port: {DIFYD_POSTGRES_PORT}, user: dify, password_file: {DIFYD_POSTGRES_PASSWORD_FILE}".format(**self.postgres)
            text += f"database: {{kind: external, {where}, sslmode: require}}\n"
            text += f"vector: {{kind: pgvector, {where}, database: dify_vector}}\n"
        self.config.write_text(text + (self.settings or "upgrade: {drain_grace: 0s, start_timeout: 60s}\n"))

    def write_places(self):
        """Into a configuration that difyd wrote: what keeps this machine apart from others on the engine."""
        text = self.config.read_text().replace("releases:\n", f"releases:\n  advisories: {self.folder}/advisories.yaml\n")
        if "EXPOSE_PLUGIN_DEBUGGING_PORT" not in text:
            text = text.replace("environment:\n", f'environment:\n  EXPOSE_NGINX_SSL_PORT: "{free_port()}"\n'
                                f'  EXPOSE_PLUGIN_DEBUGGING_PORT: "{free_port()}"\n')
        self.config.write_text(text + f"""state_dir: {self.folder}/var
runtime_dir: {self.folder}/run
listen: {{control: {self.folder}/run/difyd.sock, health: "127.0.0.1:{self.health}"}}
upgrade: {{drain_grace: 0s, start_timeout: 60s}}
""")

    def override(self, key, value):
        """One more key of Dify's environment, for the next start of the daemon."""
        text = self.config.read_text()
        self.config.write_text(text.replace("\nenvironment:\n", f"\nenvironment:\n  {key}: {value}\n"))

    def difyd(self, *words, timeout=300):
        """A command as an operator runs it: exit code, standard output, standard error."""
        done = subprocess.run([BIN / "difyd", "--config", self.config, *words], text=True, capture_output=True,
                              timeout=timeout, check=False)
        return done.returncode, done.stdout, done.stderr

    def json(self, *words):
        code, out, err = self.difyd(*words, "--json")
        if code:
            raise AssertionError(f"{words}: {code} {out}{err}{self.tail()}")
        return json.loads(out)

    def set_up(self):
        """What the first visitor of a new Dify does: a tenant, its keys, a row that must survive."""
        status, body = get(self.http, "/console/api/setup", "POST", 60)
        if status not in (200, 201):
            raise AssertionError(f"setup answered {status} {body}")

    def is_set_up(self):
        status, body = get(self.http, "/console/api/setup")
        return status == 200 and json.loads(body)["step"] == "finished"

    def data_state(self):
        """Whether database, storage and secret key still belong together, as the simulator sees it."""
        return json.loads(wait_until("the stand-in answers", lambda: get(self.http, "/console/api/simulator/state")[1], 30))

    def status(self):
        return self.json("status")

    def findings(self):
        """Codes of what status shows, with the findings."""
        return {each["code"]: each for each in self.status()["findings"]}

    def serve(self, *before, options=("--with-health",)):
        """`before`: words before the command, of a program that runs it."""
        with open(self.folder / "difyd.log", "a") as log:
            self.daemon = subprocess.Popen([*before, BIN / "difyd", "--config", self.config, "serve", *options],
                                           stdout=log, stderr=log, start_new_session=True)
        wait_until("the daemon answers", lambda: self.difyd("status")[0] == 0, 60)
        return self

    def await_phase(self, *phases, seconds=120):
        def reached():
            if self.daemon.poll() is not None:
                raise AssertionError(f"the daemon ended with {self.daemon.returncode}\n{self.tail()}")
            return self.status()["phase"] in phases
        self.await_that("phase " + " or ".join(phases), reached, seconds)
        return self.status()

    def await_that(self, what, condition, seconds=60):
        """As wait_until; where it fails, with what the daemon says of itself."""
        try:
            return wait_until(what, condition, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.difyd('status')[1]}\n{self.tail()}") from None

    def tail(self, lines=40):
        return "\n".join((self.folder / "difyd.log").read_text().splitlines()[-lines:])

    def stop_daemon(self, how=signal.SIGTERM, seconds=30):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.send_signal(how)
            self.daemon.wait(timeout=seconds)
        self.daemon = None

    def containers(self):
        """Names and states of the project's containers, one-offs included."""
        done = self.on_engine("ps", "-a", "--filter", f"label=com.docker.compose.project={self.project}",
                           "--format", "{{.Names}} {{.State}}")
        return dict(line.split() for line in done.splitlines())

    def docker(self, *words):
        return subprocess.run(["docker", *words], text=True, capture_output=True, check=True).stdout

    def on_engine(self, *words):
        """As docker(), on the engine of the stack."""
        return self.docker("-H", self.engine, *words)

    def sql(self, statement, database="dify", server=None):
        """`server`: another one than the stack's."""
        return self.docker("exec", (server or self.postgres)["DIFYD_POSTGRES_CONTAINER"], "psql", "-U", "postgres", "-d", database,
                           "-Atc", statement).strip()

    def start_sql(self, statement, user, database="dify", name="psql"):
        """A session of its own, of that application name, that runs the statement; over the server's own socket."""
        return subprocess.Popen(["docker", "exec", "-e", f"PGAPPNAME={name}", self.postgres["DIFYD_POSTGRES_CONTAINER"],
                                 "psql", "-U", user, "-d", database, "-Atc", statement], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def remove_containers(self):
        for line in self.on_engine("ps", "-aq", "--filter", f"label=com.docker.compose.project={self.project}").split():
            self.on_engine("rm", "-fv", line)

    def close(self):
        try:
            self.stop_daemon(signal.SIGKILL)
        finally:
            subprocess.run([BIN / "difyd", "compose", "-p", self.project, "down", "-v", "--remove-orphans", "-t", "1"],
                           capture_output=True, check=False, timeout=120, env={**os.environ, "DOCKER_HOST": self.engine})
            self.remove_containers()
            for environment in self.servers:
                subprocess.run([SOURCE / "packaging/postgres", "down"], env=environment, capture_output=True, check=False)
            shutil.rmtree(self.folder, ignore_errors=True)
