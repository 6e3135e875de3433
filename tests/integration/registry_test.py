"""Images come from a registry: Debian's docker-registry here, as a mirror of Docker Hub's, and an engine that has none."""
import base64
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile
import unittest

import machine
from machine import BIN, BUNDLES, SOURCE, Machine, free_port, get, slow, wait_until

machine.need_engine()
CACHE = pathlib.Path(os.environ.get("DIFYD_CACHE") or "/var/tmp/difyd-cache")


def registry_program():
    """Debian's, without its package's service; None where it cannot be had."""
    program = CACHE / "docker-registry"
    if not program.exists():
        with tempfile.TemporaryDirectory() as folder:
            for command in (["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", "docker-registry"],
                            ["sh", "-c", "dpkg-deb -x docker-registry_*.deb ."]):
                if subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode:
                    return None
            CACHE.mkdir(parents=True, exist_ok=True)
            shutil.move(f"{folder}/usr/bin/docker-registry", program)
    return program


class Registry:
    def __init__(self, program, password=None):
        """`password`: that of the user difyd; else everybody may read and write."""
        self.program, self.folder, self.port = program, pathlib.Path(tempfile.mkdtemp(prefix="difyd-registry-")), free_port()
        (self.folder / "config.yml").write_text(
            f"{{version: 0.1, storage: {{filesystem: {{rootdirectory: {self.folder}/data}}}}, http: {{addr: '127.0.0.1:{self.port}'}}}}")
        self.process, self.password = None, password
        if password:
            hashed = subprocess.run(["perl", "-e", "print crypt(shift, '$2y$05$0123456789abcdefghijkl')", password], check=True,
                                    capture_output=True, text=True).stdout
            (self.folder / "users").write_text(f"difyd:{hashed}\n")
            with open(self.folder / "config.yml", "r+") as file:
                text = file.read()
                file.seek(0)
                file.write(text[:-1] + f", auth: {{htpasswd: {{realm: test, path: {self.folder}/users}}}}}}")

    def start(self):
        with open(self.folder / "log", "w") as log:
            self.process = subprocess.Popen([self.program, "serve", self.folder / "config.yml"], stdout=log, stderr=log)
        wait_until("the registry answers", lambda: get(self.port, "/v2/")[0] in (200, 401), 20)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(10)
        self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.folder)

    def push(self, image, name=None):
        """From the engine of the tests; `name`: instead of the image's own."""
        name = name or image
        there = f"127.0.0.1:{self.port}/" + (name if "/" in name else f"library/{name}")
        own = self.docker_config()
        for words in (("tag", image, there), ("push", there), ("rmi", there)):
            subprocess.run(["docker", "--config", own, *words], check=True, capture_output=True)
        return there

    def docker_config(self):
        """A folder with a config.json that knows the password, as docker login writes it."""
        own = self.folder / "docker"
        own.mkdir(exist_ok=True)
        pair = base64.b64encode(f"difyd:{self.password}".encode()).decode()
        auths = {f"127.0.0.1:{self.port}": {"auth": pair}} if self.password else {}
        (own / "config.json").write_text(json.dumps({"auths": auths}))
        return own


class Pulling(unittest.TestCase):
    def setUp(self):
        program = registry_program()
        if program is None:
            self.skipTest("docker-registry could not be had")
        self.registry = Registry(program)
        self.addCleanup(self.registry.close)
        self.registry.start()
        self.environment = {**os.environ, "DIFYD_STATE": os.environ.get("DIFYD_STATE", "/var/tmp/difyd-test") + "/registry",
                            "DIFYD_PRIVATE_ENGINE": "1",
                            "DIFYD_ENGINE_CONFIG": json.dumps({"registry-mirrors": [f"http://127.0.0.1:{self.registry.port}"]})}
        self.environment.pop("DOCKER_HOST")
        self.packaging_engine("up", "--for", str(os.getpid()))
        self.addCleanup(self.packaging_engine, "down", "--for", str(os.getpid()), "--purge")
        self.engine = self.packaging_engine("env").split("=", 1)[1].strip()

    def packaging_engine(self, *words):
        return subprocess.run([SOURCE / "packaging/engine", *words], env=self.environment, text=True, check=True,
                              stdout=subprocess.PIPE).stdout

    def images_of(self, version):
        done = subprocess.run([BIN / "difyd", "compose", "--env-file", ".env.example", "--profile", "weaviate", "--profile",
                               "postgresql", "config", "--images"], cwd=f"{BUNDLES}/dify-{version}/docker", text=True,
                              capture_output=True, check=True)
        return set(done.stdout.split())

    def on_engine(self):
        return subprocess.run(["docker", "-H", self.engine, "images", "--format", "{{.Repository}}:{{.Tag}}"], text=True,
                              capture_output=True, check=True).stdout.split()

    @slow
    def test_a_new_machine_pulls_what_was_in_force(self):
        for image in sorted(self.images_of("1.11.3") | self.images_of("1.11.4")):
            self.registry.push(image)
        m = Machine("1.11.3", engine=self.engine)
        self.addCleanup(m.close)
        self.assertEqual(self.on_engine(), [])
        # A helper that is not there is no reason not to pull what is public.
        docker = m.folder / "docker"
        docker.mkdir()
        (docker / "config.json").write_text('{"credsStore": "gone"}')
        m.serve("env", f"DOCKER_CONFIG={docker}").await_phase("serving", seconds=180)
        m.set_up()
        plan = m.json("plan", "1.11.4")
        missing = {each["image"] for each in plan["images"] if not each["present"]}
        self.assertEqual(missing, {"langgenius/dify-api:1.11.4", "langgenius/dify-web:1.11.4"})
        code, out, err = m.difyd("upgrade", "1.11.4")
        self.assertEqual(code, 0, out + err + m.tail())

        # The machine goes; meanwhile the tag names another image, and the registry is away at first.
        self.assertEqual(m.difyd("down")[0], 0)
        m.stop_daemon()
        m.remove_containers()
        for image in self.on_engine():
            m.on_engine("rmi", "-f", image)
        self.registry.push("langgenius/dify-api:1.11.3", "langgenius/dify-api:1.11.4")
        self.registry.stop()
        new = Machine("1.11.3", engine=self.engine, database_of=m, share_of=m)
        self.addCleanup(new.close)
        empty = new.folder / "releases"
        empty.mkdir()
        new.config.write_text(new.config.read_text().replace(f"source: {BUNDLES}", f"source: {empty}"))
        new.serve()
        try:
            wait_until("it says what it waits for", lambda: "@sha256:" in new.status()["message"], 60)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{new.difyd('status')[1]}\n{new.tail()}") from None
        print(new.status()["message"], flush=True)
        self.assertIn("pull", new.status()["message"])
        self.assertEqual(self.on_engine(), [])
        self.registry.start()
        self.assertEqual(new.await_phase("serving", seconds=180)["deployed"], "1.11.4")
        self.assertTrue(new.is_set_up())


class Passwords(unittest.TestCase):
    def test_a_private_registry_is_asked_with_the_password_that_docker_has(self):
        program = registry_program()
        if program is None:
            self.skipTest("docker-registry could not be had")
        secret = "secret" + secrets.token_hex(8)
        registry = Registry(program, secret)
        self.addCleanup(registry.close)
        registry.start()
        m = Machine("1.11.3")
        self.addCleanup(m.close)
        image = "langgenius/dify-web:1.11.3"
        private = registry.push(image)
        self.addCleanup(subprocess.run, ["docker", "rmi", private], check=False, capture_output=True)
        own = m.folder / "releases"
        shutil.copytree(f"{BUNDLES}/dify-1.11.3", own / "dify-1.11.3", symlinks=True)
        file = own / "dify-1.11.3/docker/docker-compose.yaml"
        file.write_text(file.read_text().replace(f"image: {image}", f"image: {private}"))
        m.config.write_text(m.config.read_text().replace(f"source: {BUNDLES}", f"source: {own}"))

        # docker's helper is not there at first; then another one has the password.
        docker, programs = m.folder / "docker", m.folder / "programs"
        docker.mkdir()
        programs.mkdir()
        (docker / "config.json").write_text('{"credsStore": "gone"}')
        m.serve("env", f"DOCKER_CONFIG={docker}", f"PATH={programs}:{os.environ['PATH']}")
        wait_until("it says what is wrong", lambda: private in m.status()["message"], 60)
        self.assertRegex(m.status()["message"], "cannot pull the image .*(no basic auth credentials|unauthorized)"
                         ".*; cannot get the password of registry .*docker-credential-gone")
        helper = programs / "docker-credential-difydtest"
        helper.write_text(f"""#!/bin/sh
[ "$1 $(cat)" = "get 127.0.0.1:{registry.port}" ] || exit 1
echo '{{"ServerURL":"","Username":"difyd","Secret":"{secret}"}}'
""")
        helper.chmod(0o755)
        (docker / "config.json").write_text(json.dumps({"credHelpers": {f"127.0.0.1:{registry.port}": "difydtest"}}))
        m.await_phase("serving")
        self.assertNotIn(secret, (m.folder / "difyd.log").read_text())

        # As docker login writes it, and docker compose's stand-in.
        m.stop_daemon()
        m.remove_containers()
        m.docker("rmi", private)
        done = subprocess.run([BIN / "difyd", "compose", "--env-file", ".env.example", "pull", "web"], cwd=own / "dify-1.11.3/docker",
                              env={**os.environ, "DOCKER_CONFIG": str(registry.docker_config())}, capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue(m.docker("image", "inspect", private))


if __name__ == "__main__":
    unittest.main()
