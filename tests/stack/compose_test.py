"""difyd compose on a real engine, alone and in turns with docker compose."""
import json
import os
import select
import socket
import subprocess
import unittest

import bench
from bench import Project, api, wait_until

SERVICES = """
services:
  init:
    image: IMAGE
    command: ["sh", "-c", "echo prepared"]
  db:
    image: IMAGE
    command: ["sh", "-c", "touch /tmp/up; trap 'exit 0' TERM; while true; do sleep 0.1; done"]
    restart: always
    healthcheck:
      test: ["CMD", "test", "-e", "/tmp/up"]
      interval: 200ms
      timeout: 2s
      retries: 20
  api:
    image: IMAGE
    command: ["sh", "-c", "echo api says $$GREETING; trap 'exit 0' TERM; while true; do sleep 0.1; done"]
    restart: always
    environment:
      GREETING: ${GREETING:-hello}
    volumes:
      - data:/data
    networks: [default, inner]
    depends_on:
      init: {condition: service_completed_successfully}
      db: {condition: service_healthy}
  nginx:
    image: IMAGE
    command: ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.1; done"]
    depends_on: [api]
networks:
  inner: {internal: true}
volumes:
  data:
"""

LOOP = """["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.1; done"]"""


class Case(unittest.TestCase):
    def project(self, text=SERVICES):
        project = Project(text)
        self.addCleanup(project.remove)
        return project


class Alone(Case):
    def test_up_again_and_down(self):
        p = self.project()
        first = p.run("up", "-d", "--wait")
        before = p.containers()
        self.assertEqual(set(before), {"init-1", "db-1", "api-1", "nginx-1"})
        self.assertEqual(before["init-1"][2], "exited")
        self.assertIn("Started", first.stderr)
        networks = p.inspect("api-1")["NetworkSettings"]["Networks"]
        self.assertEqual(set(networks), {f"{p.name}_default", f"{p.name}_inner"})

        again = p.run("up", "-d", "--wait")
        self.assertEqual(p.containers(), before, "a second up changes nothing, the finished job does not run again")
        self.assertEqual(sorted(again.stderr.splitlines()),
                         [f" Container {p.name}-{name}-1  Running" for name in ("api", "db", "nginx")])
        self.assertEqual(p.run("--progress", "quiet", "up", "-d").stderr, "")

        p.run("down", name=False)
        self.assertEqual(p.containers(), {})
        self.assertEqual(api("GET", f"/networks/{p.name}_default")[0], 404)
        self.assertEqual(api("GET", f"/volumes/{p.name}_data")[0], 200)
        p.run("down", "-v")
        self.assertEqual(api("GET", f"/volumes/{p.name}_data")[0], 404)

    def test_change_recreates_one_and_nginx_follows(self):
        p = self.project()
        p.run("up", "-d")
        before = p.containers()
        p.run("up", "-d", env={"GREETING": "secret"})
        after = p.containers()
        self.assertNotEqual(after["api-1"][0], before["api-1"][0])
        self.assertEqual(after["nginx-1"][0], before["nginx-1"][0])
        self.assertNotEqual(after["nginx-1"][1], before["nginx-1"][1], "nginx resolves names once: restarted")
        self.assertEqual((after["db-1"], after["init-1"]), (before["db-1"], before["init-1"]))

    def test_scale_and_orphans(self):
        p = self.project(f"services:\n  a: {{image: IMAGE, command: {LOOP}}}\n  b: {{image: IMAGE, command: {LOOP}}}\n")
        p.run("up", "-d", "--scale", "a=3")
        self.assertEqual(set(p.containers()), {"a-1", "a-2", "a-3", "b-1"})
        p.run("up", "-d", "--scale", "a=1")
        self.assertEqual(set(p.containers()), {"a-1", "b-1"})
        p.write(f"services:\n  a: {{image: IMAGE, command: {LOOP}}}\n")
        warned = p.run("up", "-d")
        self.assertIn("orphan", warned.stderr)
        self.assertIn("b-1", p.containers())
        p.run("up", "-d", "--remove-orphans")
        self.assertEqual(set(p.containers()), {"a-1"})

    def test_what_profiles_and_orphans_keep_out_of_reach(self):
        service = f"image: IMAGE, command: {LOOP}"
        one = f"services:\n  a: {{{service}}}\n  b: {{{service}, profiles: [extra]}}\n"
        p = self.project(one + f"  gone: {{{service}}}\n")
        for program in {bench.oracle.program("2.40"), None}:
            p.write(one + f"  gone: {{{service}}}\n")
            p.run("--profile", "extra", "up", "-d")
            p.write(one)
            before = p.containers()
            run = lambda *words, **how: p.run(*words, program=program, **how)
            states = lambda: {name: state for name, (_, _, state) in p.containers().items()}
            run("restart")
            self.assertEqual({n for n, each in p.containers().items() if each != before[n]}, {"a-1"}, program)
            run("stop")
            self.assertEqual(states(), {"a-1": "exited", "b-1": "running", "gone-1": "running"}, program)
            self.assertNotEqual(run("stop", "gone", ok=False).returncode, 0, program)
            run("stop", "b")
            self.assertEqual(states()["b-1"], "exited", program)
            run("start")
            self.assertEqual(states(), {"a-1": "running", "b-1": "exited", "gone-1": "running"}, program)
            run("start", "b")
            self.assertIn("b-1", run("ps", "b").stdout, program)
            self.assertIn(f" Network {p.name}_default  Resource is still in use\n", run("down").stderr, program)
            self.assertEqual(states(), {"b-1": "running", "gone-1": "running"}, program)
            run("down", "--remove-orphans")
            self.assertEqual(states(), {"b-1": "running"}, program)
            self.assertEqual(api("GET", f"/networks/{p.name}_default")[0], 200)
            run("--profile", "extra", "down")
            self.assertEqual(states(), {}, program)

    def test_stop_start_restart_ps_logs(self):
        p = self.project()
        p.run("up", "-d")
        p.run("stop")
        self.assertEqual({state for _, _, state in p.containers().values()}, {"exited"})
        p.run("start")
        before = p.containers()
        self.assertEqual(before["api-1"][2], "running")
        p.run("restart", "api")
        self.assertNotEqual(p.containers()["api-1"][1], before["api-1"][1])
        listed = [json.loads(line) for line in p.run("ps", "-a", "--format", "json").stdout.splitlines()]
        self.assertEqual({each["Service"] for each in listed}, {"init", "db", "api", "nginx"})
        self.assertIn(f"{p.name}-api-1", p.run("ps").stdout)
        logs = p.run("logs", "--no-log-prefix", "api").stdout
        self.assertEqual(set(logs.splitlines()), {"api says hello"})
        self.assertTrue(p.run("logs", "--tail", "1", "api").stdout.startswith("api-1  | api says hello"))

    def line_of(self, process):
        """Its next line of output; fails after 30 s."""
        ready, _, _ = select.select([process.stdout], [], [], 30)
        self.assertTrue(ready, "no output within 30 s")
        return process.stdout.readline()

    def test_logs_since_a_time(self):
        p = self.project("services:\n  a: {image: IMAGE, command: ['sh', '-c', 'echo one']}\n")
        p.run("up", "-d")
        wait_until("end", lambda: p.containers()["a-1"][2] == "exited")
        finished = p.inspect("a-1")["State"]["FinishedAt"]
        self.assertIn("one", p.run("logs", "--since", "10m").stdout)
        self.assertIn("one", p.run("logs", "--since", "2020-01-01T00:00:00.5+01:00").stdout)
        self.assertEqual(p.run("logs", "--since", finished.replace("20", "21", 1)).stdout, "")

    def test_logs_follow_across_a_restart(self):
        # The other one runs all the time: who follows ends some time after the last has ended.
        p = self.project(f"services:\n  a:\n    image: IMAGE\n    command: {LOOP.replace('trap', 'echo begun; trap', 1)}\n"
                         f"  b: {{image: IMAGE, command: {LOOP}}}\n")
        p.run("up", "-d")
        follow = subprocess.Popen([bench.DIFYD, "compose", "-p", p.name, "logs", "-f", "--no-log-prefix"],
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(follow.stdout.close)
        try:
            self.assertEqual(self.line_of(follow), "begun\n")
            p.run("restart", "a")
            self.assertEqual(self.line_of(follow), "begun\n")
            p.run("stop")
            follow.wait(30)
            self.assertEqual(follow.stdout.read(), "")
        finally:
            follow.kill()
            follow.wait()

    def test_interrupted_recreation_is_repaired(self):
        p = self.project()
        p.run("up", "-d")
        before = p.containers()
        old = p.inspect("db-1")
        body = {**old["Config"], "HostConfig": old["HostConfig"]}
        body["Labels"]["com.docker.compose.replace"] = "db-1"
        name = f"{old['Id'][:12]}_{p.name}-db-1"
        self.assertEqual(api("POST", f"/containers/create?name={name}", body)[0], 201)
        p.run("up", "-d")
        self.assertEqual(p.containers(), before, "the old one was still there: the half-made one goes")

        api("POST", f"/containers/create?name={name}", body)
        api("DELETE", f"/containers/{old['Id']}?force=1")
        p.run("up", "-d")
        after = p.containers()
        self.assertEqual(after["db-1"][2], "running")
        self.assertNotEqual(after["db-1"][0], old["Id"])
        self.assertEqual(set(after), set(before))

    def test_anonymous_volumes_move_on(self):
        text = f"services:\n  a:\n    image: IMAGE\n    command: {LOOP}\n    volumes: ['/keep']\n    environment: {{X: '1'}}\n"
        p = self.project(text)
        p.run("up", "-d")
        volume = p.inspect("a-1")["Mounts"][0]["Name"]
        p.write(text.replace("'1'", "'2'"))
        p.run("up", "-d")
        self.assertEqual(p.inspect("a-1")["Mounts"][0]["Name"], volume)
        p.run("up", "-d", "-V", "--force-recreate")
        self.assertNotEqual(p.inspect("a-1")["Mounts"][0]["Name"], volume)
        api("DELETE", f"/volumes/{volume}")

    def test_inline_config_and_secret(self):
        p = self.project(f"""
services:
  a:
    image: IMAGE
    command: ["sh", "-c", "cat /etc/greeting /run/secrets/token; echo; sleep 60"]
    configs: [{{source: greeting, target: /etc/greeting}}]
    secrets: [token]
configs:
  greeting: {{content: "good morning\\n"}}
secrets:
  token: {{environment: TOKEN}}
""")
        p.run("up", "-d", env={"TOKEN": "hush"})
        wait_until("log", lambda: p.run("logs", "--no-log-prefix").stdout == "good morning\nhush\n")


    def test_proxies_of_the_client(self):
        p = self.project(f"services:\n  a: {{image: IMAGE, command: {LOOP}, environment: {{HTTP_PROXY: own, X: 1}}}}\n")
        (p.folder / "docker").mkdir()

        def made(proxies, program=None):
            (p.folder / "docker/config.json").write_text(json.dumps({"proxies": proxies}))
            p.run("up", "-d", "--force-recreate", program=program, env={"DOCKER_CONFIG": str(p.folder / "docker")})
            config = p.inspect("a-1")["Config"]
            return sorted(config["Env"]), config["Labels"]["com.docker.compose.config-hash"]

        default = {"httpProxy": "http://p:1", "httpsProxy": "http://p:2", "ftpProxy": "f", "noProxy": "n,m", "allProxy": "all"}
        engine = f"unix://{bench.engine_path()}"
        without = made({})
        for proxies in ({"default": default}, {"default": default, engine: {"httpProxy": "http://engine:3"}}):
            env, label = made(proxies)
            self.assertEqual(label, without[1])
            self.assertIn("HTTP_PROXY=own", env)
            self.assertIn("http_proxy=" + proxies.get(engine, default)["httpProxy"], env)
            if program := bench.oracle.program("2.40"):
                self.assertEqual((env, label), made(proxies, program))


class Failing(Case):
    def one_error(self, done, *parts, code=1):
        self.assertEqual(done.returncode, code, done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)

    def test_missing_bind_source_before_anything_is_made(self):
        p = self.project(f"services:\n  a: {{image: IMAGE, command: {LOOP}, volumes: ['./conf/x.conf:/etc/x.conf']}}\n")
        self.one_error(p.run("up", "-d", ok=False), "service" if False else "a", str(p.folder / "conf/x.conf"), "does not exist")
        self.assertEqual(p.containers(), {})
        self.assertFalse((p.folder / "conf").exists())
        self.assertEqual(api("GET", f"/networks/{p.name}_default")[0], 404)
        p.write(f"services:\n  a: {{image: IMAGE, command: {LOOP}, volumes: ['./volumes/a:/data']}}\n")
        p.run("up", "-d")
        self.assertTrue((p.folder / "volumes/a").is_dir())

    def test_a_secret_whose_variable_is_not_set(self):
        p = self.project(f"services:\n  a: {{image: IMAGE, command: {LOOP}, secrets: [s]}}\n  b: {{image: IMAGE, command: {LOOP}}}\n"
                         "secrets:\n  s: {environment: DIFYD_NOT_SET}\n")
        self.one_error(p.run("up", "-d", ok=False), 'environment variable "DIFYD_NOT_SET" required by secret "s" is not set')
        self.assertEqual(p.containers(), {})
        self.assertEqual(api("GET", f"/networks/{p.name}_default")[0], 404)
        p.run("up", "-d", "b")
        p.run("up", "-d", "--no-start")
        self.one_error(p.run("start", "a", ok=False), '"DIFYD_NOT_SET"')
        p.run("up", "-d", env={"DIFYD_NOT_SET": ""})

    def test_port_taken(self):
        with socket.socket() as taken:
            taken.bind(("0.0.0.0", 0))
            taken.listen()
            port = taken.getsockname()[1]
            p = self.project(f"services:\n  a: {{image: IMAGE, command: {LOOP}, ports: ['{port}:80']}}\n")
            self.one_error(p.run("up", "-d", ok=False), "a-1", f"port {port} is already in use")
            self.assertEqual(p.containers(), {})
        p.run("up", "-d")

    def test_dependency_that_fails(self):
        p = self.project("""
services:
  init: {image: IMAGE, command: ["sh", "-c", "exit 4"]}
  a: {image: IMAGE, command: ["true"], depends_on: {init: {condition: service_completed_successfully}}}
""")
        self.one_error(p.run("up", "-d", ok=False), "didn't complete successfully: exit 4")
        self.assertEqual(p.containers()["a-1"][2], "created")

    def test_image_that_cannot_be_had(self):
        p = self.project("services:\n  a: {image: 'difyd-test/absent:1', pull_policy: never}\n")
        self.one_error(p.run("up", "-d", ok=False), "difyd-test/absent:1")
        self.assertEqual(p.containers(), {})

    def test_engine_that_is_not_there(self):
        p = self.project()
        self.one_error(p.run("ps", ok=False, env={"DOCKER_HOST": "unix:///nowhere.sock"}), "/nowhere.sock")

    def test_files(self):
        p = self.project("services:\n  a: {depends_on: [b], image: x}\n")
        self.one_error(p.run("config", "-q", ok=False))
        (p.folder / "compose.yaml").unlink()
        self.one_error(p.run("config", "-q", ok=False))
        self.one_error(p.run("nonsense", ok=False))


class WithDockerCompose(Case):
    """What one started, the other takes over as it is."""

    def both_ways(self, version, written_as):
        program = bench.oracle.program(version)
        if program is None:
            self.skipTest(f"docker compose {version} could not be had")
        p = self.project()
        p.run("up", "-d", program=program)
        before = p.containers()
        p.run("up", "-d")
        self.assertEqual(p.containers(), before, f"difyd adopts what docker compose {version} started")
        self.assertIn("api-1", p.run("ps").stdout)
        p.run("down", "-v")
        self.assertEqual(p.containers(), {})

        p.run("--compose-version", written_as, "up", "-d")
        before = p.containers()
        p.run("up", "-d", program=program)
        after = p.containers()
        before.pop("init-1"), after.pop("init-1")  # docker compose runs finished jobs again
        self.assertEqual(after, before, f"docker compose {version} adopts what difyd started")
        self.assertIn(f"{p.name}-api-1", p.run("ps", program=program).stdout)
        self.assertIn("api says hello", p.run("logs", "api", program=program).stdout)
        p.run("down", "-v", program=program, name=False)
        self.assertEqual(p.containers(), {})

    def test_2_26(self):
        self.both_ways("2.26", "2.26.1")

    def test_2_40(self):
        self.both_ways("2.40", "2.40.3")

    def test_dialect_follows_the_project(self):
        program = bench.oracle.program("2.26")
        if program is None:
            self.skipTest("docker compose 2.26 could not be had")
        p = self.project()
        p.run("up", "-d", program=program)
        p.run("up", "-d", env={"GREETING": "changed"})
        labels = p.inspect("api-1")["Config"]["Labels"]
        self.assertEqual(labels["com.docker.compose.version"], "2.26.1")
        before = p.containers()
        p.run("up", "-d", program=program, env={"GREETING": "changed"})
        after = p.containers()
        before.pop("init-1"), after.pop("init-1")
        self.assertEqual(after, before)


if __name__ == "__main__":
    bench.need_engine()
    unittest.main()
