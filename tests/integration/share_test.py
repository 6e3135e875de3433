"""The share is enough: a machine that is gone, and a new one with empty disks and an older configuration; and a
database, a ledger and a storage that do not agree. All of it with DIFYD_TEST_ALL=1."""
import json
import os
import secrets
import shutil
import signal
import unittest

import machine
from machine import ALL, Machine, get, wait_until

machine.need_engine()


class Share(unittest.TestCase):
    def setUp(self):
        self.m = Machine("1.11.4", settings="upgrade: {drain_grace: 0s, start_timeout: 60s, worker_stop_limit: 5s}\n")
        self.addCleanup(self.m.close)
        self.bundles = self.m.folder / "bundles"
        self.bundles.mkdir()
        self.secret = "sk-" + secrets.token_hex(16)
        self.unpack("1.11.4", "1.12.7")
        overlay = self.m.folder / "overlay/nginx/ssl"
        overlay.mkdir(parents=True)
        (overlay / "dify.key").write_text("a key\n")
        self.configure(f'SECRET_KEY: "{self.secret}"')
        self.m.serve().await_phase("serving")
        self.m.set_up()

    def unpack(self, *versions):
        for version in versions:
            shutil.copytree(f"{machine.BUNDLES}/dify-{version}", self.bundles / f"dify-{version}")

    def configure(self, *environment):
        self.m.write_config()
        text = self.m.config.read_text().replace(machine.BUNDLES, f"{self.bundles}, overlay: {self.m.folder}/overlay")
        lines = "".join(f"  {each}\n" for each in ('SIMULATOR_MIGRATION_SECONDS: "4"', *environment))
        self.m.config.write_text(text.replace("environment:\n", "environment:\n" + lines))

    def lose_the_machine(self):
        """Only the share and the database are left."""
        self.m.stop_daemon(signal.SIGKILL)
        wait_until("difyd-health ends with it", lambda: get(self.m.health, "/healthz")[0] == 0, 30)
        for each in self.m.containers():
            self.m.docker("rm", "-fv", each)
        shutil.rmtree(self.m.folder / "overlay", ignore_errors=True)
        for name in ("var", "run", "bundles"):
            shutil.rmtree(self.m.folder / name)
            (self.m.folder / name).mkdir()

    def kept(self, version):
        return self.m.folder / "storage/.difyd/releases" / version

    def serves(self, version):
        self.m.await_phase("serving", seconds=120)
        self.assertEqual(self.m.status()["deployed"], version)
        self.assertTrue(self.m.is_set_up(), self.m.data_state())
        inspected = json.loads(self.m.docker("inspect", f"{self.m.project}-api-1"))[0]["Config"]
        self.assertEqual(inspected["Image"], f"langgenius/dify-api:{version}")
        self.assertIn(f"SECRET_KEY={self.secret}", inspected["Env"])
        self.assertEqual(get(self.m.http, "/console/api/ping")[0], 200)

    def test_the_share_is_enough_and_a_disagreement_holds(self):
        self.m.docker("exec", self.m.postgres["DIFYD_POSTGRES_CONTAINER"], "sh", "-c", "pg_dump -U postgres dify > /tmp/old.sql")
        self.what_is_kept()
        self.lost_in_a_migration()
        if ALL:
            self.lost_at_rest()
        self.database_put_back()
        if ALL:
            self.ledger_gone()

    def what_is_kept(self):
        manifest = json.loads((self.kept("1.11.4") / "manifest.json").read_text())
        self.assertIn("langgenius/dify-api:1.11.4", manifest["images"])
        environment, = self.kept("1.11.4").glob("*/environment")
        for each in (self.kept(""), environment.parent, environment, environment.parent / "project.json"):
            self.assertEqual(each.stat().st_mode & 0o077, 0, each)
        self.assertIn(self.secret, environment.read_text())

    def lost_in_a_migration(self):
        self.m.difyd("upgrade", "--no-wait", "1.12.7")
        wait_until("the migrator", lambda: [n for n, state in self.m.containers().items() if "-migrate-" in n and state == "running"], 60)
        self.lose_the_machine()
        self.configure()
        self.m.serve()
        self.serves("1.12.7")
        self.assertEqual(self.m.json("history")[-1]["result"], "done")
        laid_over = self.m.folder / "var/releases/dify-1.12.7/docker/nginx/ssl/dify.key"
        self.assertEqual(laid_over.read_text(), "a key\n")
        self.assertEqual(self.m.sql("select version_num from alembic_version"), "5e1207000001")
        self.assertEqual(sorted(each.name for each in self.kept("").iterdir()), ["1.11.4", "1.12.7"])

    def lost_at_rest(self):
        """The new machine's own bundle is not as it was deployed: it is left alone, said, and not started."""
        self.lose_the_machine()
        self.unpack("1.12.7")
        edited = self.bundles / "dify-1.12.7/docker/nginx/nginx.conf.template"
        edited.write_text(edited.read_text() + "# edited\n")
        self.m.serve()
        self.serves("1.12.7")
        self.assertIn("version-ignored", self.m.findings())
        self.assertIn("nginx/nginx.conf.template", self.m.findings()["bundle-edited"]["detail"])
        self.assertIn("# edited", edited.read_text())
        self.assertNotIn("# edited", (self.m.folder / "var/releases/dify-1.12.7/docker/nginx/nginx.conf.template").read_text())

    def holds(self, *words):
        code, out, err = self.m.difyd("up")
        self.assertEqual(code, 6, out + err)
        status = self.m.await_phase("holding")
        for each in words:
            self.assertIn(each, status["message"] + " " + " ".join(status["options"]))
        self.assertEqual([n for n, state in self.m.containers().items() if state == "running"], [])

    def database_put_back(self):
        self.assertEqual(self.m.difyd("repin", "1.11.4")[0], 4)
        self.assertEqual(self.m.difyd("down")[0], 0)
        self.m.sql("drop database dify with (force)", "postgres")
        self.m.sql("create database dify owner dify", "postgres")
        self.holds("the ledger names version 1.12.7 but the database is empty", "difyd up: ")
        self.m.docker("exec", self.m.postgres["DIFYD_POSTGRES_CONTAINER"], "psql", "-q", "-U", "postgres", "-d", "dify", "-f", "/tmp/old.sql")
        self.holds("the older 1.11.4", "difyd repin 1.11.4: ")
        code, out, err = self.m.difyd("repin", "1.12.7")
        self.assertEqual(code, 4, out + err)
        self.assertIn("the database holds revision 905527cc8fd3", err)
        self.assertEqual(self.m.status()["phase"], "holding")
        code, out, err = self.m.difyd("repin", "1.11.4")
        self.assertEqual(code, 0, out + err + self.m.tail())
        self.serves("1.11.4")

    def ledger_gone(self):
        share = self.m.folder / "storage/.difyd"
        self.m.stop_daemon()
        identity = (share / "share-id").read_text()
        (share / "share-id").unlink()
        self.m.serve()
        self.assertIn("do not belong together", self.m.await_phase("holding")["message"])
        (share / "share-id").write_text(identity)
        self.m.stop_daemon()
        (share / "ledger.json").unlink()
        self.m.serve()
        self.assertIn("this machine ran 1.11.4", self.m.await_phase("holding")["message"])
        (self.m.folder / "var/ledger-copy.json").unlink()
        code, out, err = self.m.difyd("up")
        self.assertEqual(code, 0, out + err + self.m.tail())
        self.serves("1.11.4")


if __name__ == "__main__":
    unittest.main()
