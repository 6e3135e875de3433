"""What `up` does to what is there already, on a real engine: kept, re-created, scaled, waited for, repaired."""
import os
import subprocess
import tempfile
import unittest

import bench
import engine_state  # noqa: F401  (puts tests/bench on the path)
import recording
from bench import IMAGE, Project, api, wait_until

LOOP = """["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.1; done"]"""
STUBBORN = """["sh", "-c", "trap '' TERM; while true; do sleep 0.1; done"]"""
HEALTHY = "{test: ['CMD', 'true'], interval: 200ms, timeout: 5s, retries: 20}"
SICK = "{test: ['CMD', 'false'], interval: 200ms, timeout: 5s, retries: 2}"


class Case(unittest.TestCase):
    def project(self, text):
        project = Project(text)
        self.addCleanup(project.remove)
        return project

    def ids(self, p):
        return {name: each[0] for name, each in p.containers().items()}

    def started(self, p):
        return {name: each[1] for name, each in p.containers().items()}


class Recreated(Case):
    def test_a_creation_that_fails_loses_nothing(self):
        text = f"services:\n  a: {{image: IMAGE, command: {LOOP}, init: true}}\n"
        p = self.project(text)
        p.run("up", "-d")
        before = p.containers()
        p.write(text.replace("init: true", "runtime: nowhere"))
        done = p.run("up", "-d", ok=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("a-1", done.stderr)
        self.assertEqual(p.containers(), before)

    def test_another_image_under_the_same_name(self):
        image = IMAGE.replace("stack:", "moving:")
        bench.make_image(image)
        p = self.project(f"services:\n  a: {{image: '{image}', command: {LOOP}}}\n  b: {{image: IMAGE, command: {LOOP}}}\n")
        p.run("up", "-d")
        before = p.containers()
        bench.make_image(image, ["ENV OTHER=1"])
        p.run("up", "-d")
        after = p.containers()
        self.assertNotEqual(after["a-1"][0], before["a-1"][0])
        self.assertEqual(after["b-1"], before["b-1"])
        self.assertEqual(p.inspect("a-1")["Image"], api("GET", f"/images/{image}/json")[1]["Id"])

    def test_a_network_with_another_configuration(self):
        text = f"services:\n  a: {{image: IMAGE, command: {LOOP}}}\n  b: {{image: IMAGE, command: {LOOP}, networks: [other]}}\nnetworks:\n  default: {{}}\n  other:\n"
        p = self.project(text)
        p.run("up", "-d")
        before = p.containers()
        p.write(text.replace("default: {}", "default: {internal: true}"))
        p.run("up", "-d")
        after = p.containers()
        self.assertNotEqual(after["a-1"][0], before["a-1"][0])
        self.assertEqual(after["b-1"], before["b-1"])
        self.assertTrue(api("GET", f"/networks/{p.name}_default")[1]["Internal"])
        self.assertEqual(p.inspect("a-1")["State"]["Status"], "running")
        if program := bench.oracle.program("2.40"):
            p.run("up", "-d", program=program)
            self.assertEqual(p.containers(), after, "docker compose sees nothing to do")

    def test_a_network_that_another_project_is_on(self):
        text = f"services:\n  a: {{image: IMAGE, command: {LOOP}}}\nnetworks:\n  default: {{}}\n"
        p = self.project(text)
        p.run("up", "-d")
        guest = self.project(f"services:\n  g: {{image: IMAGE, command: {LOOP}, networks: [theirs]}}\n"
                             f"networks:\n  theirs: {{external: true, name: {p.name}_default}}\n")
        guest.run("up", "-d")
        before = p.containers()
        p.write(text.replace("default: {}", "default: {internal: true}"))
        for _ in range(2):
            done = p.run("up", "-d")
            self.assertIn(f"it stays, because {guest.name}-g-1", done.stderr)
            self.assertEqual(p.containers(), before)
        guest.run("down")
        p.run("up", "-d")
        self.assertTrue(api("GET", f"/networks/{p.name}_default")[1]["Internal"])

    def test_a_volume_of_another_name(self):
        text = f"services:\n  a: {{image: IMAGE, command: {LOOP}, volumes: ['data:/v']}}\nvolumes:\n  data: {{}}\n"
        p = self.project(text)
        p.run("up", "-d")
        p.write(text.replace("data: {}", f"data: {{name: {p.name}_renamed}}"))
        p.run("up", "-d")
        self.assertEqual([m["Name"] for m in p.inspect("a-1")["Mounts"]], [f"{p.name}_renamed"])

    def test_only_what_is_named(self):
        text = f"services:\n  a: {{image: IMAGE, command: {LOOP}, depends_on: [b]}}\n  b: {{image: IMAGE, command: {LOOP}}}\n  c: {{image: IMAGE, command: {LOOP}}}\n"
        p = self.project(text)
        p.run("up", "-d", "a")
        first = self.ids(p)
        self.assertEqual(set(first), {"a-1", "b-1"})
        p.run("up", "-d", "--force-recreate", "--no-deps", "a")
        second = self.ids(p)
        self.assertNotEqual(second["a-1"], first["a-1"])
        self.assertEqual(second["b-1"], first["b-1"])
        p.run("up", "-d")
        self.assertEqual({k: v for k, v in self.ids(p).items() if k != "c-1"}, second)

    def test_dependents_that_ask_for_it_start_again(self):
        text = f"""services:
  db: {{image: IMAGE, command: {LOOP}, environment: {{X: "${{X:-1}}"}}}}
  follows: {{image: IMAGE, command: {LOOP}, depends_on: {{db: {{condition: service_started, restart: true}}}}}}
  stays: {{image: IMAGE, command: {LOOP}, depends_on: [db]}}
"""
        p = self.project(text)
        p.run("up", "-d")
        before = p.containers()
        p.run("up", "-d", env={"X": "2"})
        after = p.containers()
        self.assertNotEqual(after["db-1"][0], before["db-1"][0])
        self.assertEqual(after["follows-1"][0], before["follows-1"][0])
        self.assertNotEqual(after["follows-1"][1], before["follows-1"][1])
        self.assertEqual(after["stays-1"], before["stays-1"])

    def restarted(self, p, program, *words):
        before = self.started(p)
        p.run(*words, program=program)
        after = self.started(p)
        return {name for name in after if after[name] != before[name]}

    def test_restart_takes_those_along_that_ask_for_it(self):
        p = self.project(f"""services:
  db: {{image: IMAGE, command: {LOOP}}}
  follows: {{image: IMAGE, command: {LOOP}, depends_on: {{db: {{condition: service_started, restart: true}}}}}}
  last: {{image: IMAGE, command: {LOOP}, depends_on: {{follows: {{condition: service_started, restart: true}}}}}}
  stays: {{image: IMAGE, command: {LOOP}, depends_on: [db]}}
""")
        p.run("up", "-d")
        self.assertEqual(self.restarted(p, None, "restart", "-t", "1", "db"), {"db-1", "follows-1", "last-1"})
        self.assertEqual(self.restarted(p, None, "restart", "-t", "1", "last"), {"last-1"})
        if program := bench.oracle.program("2.40"):
            self.assertEqual(self.restarted(p, program, "restart", "-t", "1", "db"), {"db-1", "follows-1", "last-1"})

    def interrupted(self, command):
        """The program is killed when the new container is there and the old one is about to be stopped."""
        p = self.project(f"services:\n  a: {{image: IMAGE, command: {STUBBORN}, stop_grace_period: 15s, environment: {{X: \"${{X:-1}}\"}}}}\n")
        p.run("up", "-d")
        with tempfile.TemporaryDirectory() as folder:
            recorder = recording.Recorder(folder)
            try:
                running = subprocess.Popen([*command, "-f", p.folder / "compose.yaml", "-p", p.name, "up", "-d"], cwd=p.folder,
                                           env={**os.environ, "X": "2", "DOCKER_HOST": f"unix://{recorder.path}"},
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                wait_until("the old one is being stopped", lambda: any("/stop" in each["path"] for each in list(recorder.requests)))
                running.kill()
                running.wait()
            finally:
                recorder.close()
        self.assertEqual(len(p.containers()), 2)
        p.run("up", "-d", "-t", "1", env={"X": "2"})
        self.assertEqual(set(p.containers()), {"a-1"})
        details = p.inspect("a-1")
        self.assertTrue(details["State"]["Running"])
        self.assertIn("X=2", details["Config"]["Env"])

    def test_interrupted_by_whom_ever(self):
        self.interrupted([bench.DIFYD, "compose"])
        for version in ("2.26", "2.40"):
            if program := bench.oracle.program(version):
                with self.subTest(docker_compose=version):
                    self.interrupted([program])


class Waiting(Case):
    def test_an_unhealthy_dependency(self):
        p = self.project(f"services:\n  db: {{image: IMAGE, command: {LOOP}, healthcheck: {SICK}}}\n"
                         f"  a: {{image: IMAGE, command: {LOOP}, depends_on: {{db: {{condition: service_healthy}}}}}}\n")
        done = p.run("up", "-d", ok=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"container {p.name}-db-1 is unhealthy", done.stderr)
        self.assertEqual({n: c[2] for n, c in p.containers().items()}, {"db-1": "running", "a-1": "created"})

    def test_a_dependency_that_takes_longer_than_is_waited(self):
        p = self.project(f"services:\n  db: {{image: IMAGE, command: {LOOP}, healthcheck: {SICK.replace('retries: 2', 'retries: 1000')}}}\n"
                         f"  a: {{image: IMAGE, command: {LOOP}, depends_on: {{db: {{condition: service_healthy}}}}}}\n")
        done = p.run("up", "-d", "--wait-timeout", "2", ok=False, timeout=30)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot wait any longer for db", done.stderr)
        self.assertEqual({n: c[2] for n, c in p.containers().items()}, {"db-1": "running", "a-1": "created"})

    def test_a_dependency_that_ends(self):
        p = self.project(f"services:\n  db: {{image: IMAGE, command: ['sh', '-c', 'exit 4'], healthcheck: {HEALTHY}}}\n"
                         f"  a: {{image: IMAGE, command: {LOOP}, depends_on: {{db: {{condition: service_healthy}}}}}}\n")
        self.assertIn(f"container {p.name}-db-1 exited (4)", p.run("up", "-d", ok=False).stderr)

    def test_one_that_is_not_required(self):
        p = self.project(f"services:\n  db: {{image: IMAGE, command: ['sh', '-c', 'exit 4']}}\n"
                         f"  a: {{image: IMAGE, command: {LOOP}, depends_on: {{db: {{condition: service_completed_successfully, required: false}}}}}}\n")
        self.assertIn("optional", p.run("up", "-d").stderr)
        self.assertEqual(p.containers()["a-1"][2], "running")

    def test_wait(self):
        text = f"services:\n  a: {{image: IMAGE, command: {LOOP}, healthcheck: {HEALTHY}}}\n"
        p = self.project(text)
        p.run("up", "--wait")
        self.assertEqual(p.inspect("a-1")["State"]["Health"]["Status"], "healthy")
        p.write(text.replace(HEALTHY, SICK))
        self.assertIn("is unhealthy", p.run("up", "--wait", ok=False).stderr)
        p.write(text.replace(HEALTHY, "{test: ['CMD', 'true'], interval: 1h}"))
        done = p.run("up", "--wait", "--wait-timeout", "2", ok=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("after 2 s", done.stderr)
        p.write(text.replace(HEALTHY, "{disable: true}"))
        p.run("up", "--wait")


class Small(Case):
    def test_a_second_up_asks_little_and_changes_nothing(self):
        p = self.project("services:\n" + "".join(f"  s{n}: {{image: IMAGE, command: {LOOP}}}\n" for n in range(4)))
        p.run("up", "-d")
        before = p.containers()
        with tempfile.TemporaryDirectory() as folder:
            recorder = recording.Recorder(folder)
            try:
                p.run("up", "-d", env={"DOCKER_HOST": f"unix://{recorder.path}"})
            finally:
                recorder.close()
            asked = [(each["method"], each["path"]) for each in recorder.requests]
        self.assertEqual(p.containers(), before)
        self.assertEqual({method for method, _ in asked} - {"HEAD"}, {"GET"})
        # The version twice, three lists, the image, and each container.
        self.assertLessEqual(len(asked), 6 + 4, asked)

    def test_hooks_run_in_the_container_after_its_start_and_before_its_stop(self):
        text = f"""services:
  a:
    image: IMAGE
    command: {LOOP}
    environment: {{SAID: /tmp/said}}
    volumes: ['.:/here']
    post_start:
      - command: [sh, -c, 'echo "$$WHO $$(pwd) $$SAID" >>/here/said']
        environment: {{WHO: started}}
        working_dir: /tmp
      - command: [sh, -c, 'echo second >>/here/said']
    pre_stop:
      - command: [sh, -c, 'echo stops >>/here/said']
"""
        p = self.project(text)
        said = p.folder / "said"
        p.run("up", "-d")
        self.assertEqual(said.read_text(), "started /tmp /tmp/said\nsecond\n")
        p.run("up", "-d")  # changes nothing, runs nothing
        p.run("restart")
        self.assertEqual(said.read_text().splitlines()[2:], ["stops", "started /tmp /tmp/said", "second"])
        p.run("stop")
        p.run("down")
        self.assertEqual(said.read_text().splitlines()[5:], ["stops"])
        p.write(text.replace("echo second", "exit 3; echo second"))
        done = p.run("up", "-d", ok=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot run post_start in container", done.stderr)
        self.assertIn("it ended with 3", done.stderr)

    def test_a_paused_container_is_named_and_left(self):
        p = self.project(f"services:\n  a: {{image: IMAGE, command: {LOOP}}}\n")
        p.run("up", "-d")
        api("POST", f"/containers/{p.name}-a-1/pause")
        done = p.run("up", "-d")
        self.assertIn("is paused", done.stderr)
        api("POST", f"/containers/{p.name}-a-1/unpause")

    def test_one_name_for_two_services(self):
        p = self.project(f"services:\n  a: {{image: IMAGE, container_name: difydtest-one}}\n  b: {{image: IMAGE, container_name: difydtest-one}}\n")
        done = p.run("up", "-d", ok=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("difydtest-one", done.stderr)
        self.assertEqual(p.containers(), {})

    def test_scaled_away_and_back(self):
        p = self.project(f"services:\n  a: {{image: IMAGE, command: {LOOP}, environment: {{X: \"${{X:-1}}\"}}}}\n")
        p.run("up", "-d", "--scale", "a=3")
        p.run("up", "-d", "--scale", "a=2", "--no-recreate", env={"X": "2"})
        self.assertEqual(set(p.containers()), {"a-1", "a-2"})
        p.run("up", "-d", "--scale", "a=0")
        self.assertEqual(p.containers(), {})
        p.run("up", "-d", "--scale", "a=2")
        self.assertEqual(set(p.containers()), {"a-1", "a-2"})


if __name__ == "__main__":
    bench.need_engine()
    unittest.main()
