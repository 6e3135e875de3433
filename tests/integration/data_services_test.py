"""Hops that change a data service: its settings, or its image."""
import pathlib
import shutil
import unittest

import machine
from machine import BUNDLES, Machine, slow

machine.need_engine()
NO_ADVISORIES = "format: 1\nnewest_known: 99.0.0\nadvisories: []\n"


def made(test, version, **how):
    m = Machine(version, **how)
    test.addCleanup(m.close)
    (m.folder / "advisories.yaml").write_text(NO_ADVISORIES)
    m.serve().await_phase("serving")
    m.set_up()
    return m


class DataServices(unittest.TestCase):
    @slow
    def test_other_settings_of_the_bundled_database(self):
        m = made(self, "1.13.3", standalone=True)
        setting = lambda: m.docker("exec", f"{m.project}-db_postgres-1", "psql", "-U", "postgres", "-Atc", "show max_connections").strip()
        before = setting()
        changes = {each["service"]: each for each in m.json("plan", "1.14.0")["data_services"]}
        self.assertEqual((changes["db_postgres"]["kind"], changes["db_postgres"]["irreversible"]), ("settings", False))
        code, out, err = m.difyd("upgrade", "1.14.0")
        self.assertEqual(code, 0, out + err + m.tail())
        self.assertNotEqual(setting(), before)
        self.assertTrue(m.is_set_up())

    def test_a_new_image_is_the_point_of_no_return(self):
        releases = pathlib.Path(BUNDLES)
        m = made(self, "1.12.1")
        other = f"redis:{m.project}"
        m.docker("tag", "redis:6-alpine", other)
        own = m.folder / "releases"
        for version, image in (("1.12.2", other), ("1.12.5", other)):
            shutil.copytree(releases / f"dify-{version}", own / f"dify-{version}", symlinks=True)
            file = own / f"dify-{version}/docker/docker-compose.yaml"
            file.write_text(file.read_text().replace("redis:6-alpine", image))
        (own / "dify-1.12.1").symlink_to(releases / "dify-1.12.1")
        m.config.write_text(m.config.read_text().replace(f"source: {BUNDLES}", f"source: {own}"))
        m.stop_daemon()
        m.serve().await_phase("serving")
        changes = {each["service"]: each for each in m.json("plan", "1.12.2")["data_services"]}
        self.assertEqual((changes["redis"]["kind"], changes["redis"]["irreversible"]), ("image", True))

        # With the former image this migration's failure would put 1.12.1 back.
        code, out, err = m.difyd("upgrade", "1.12.2")
        self.assertEqual(code, 6, out + err + m.tail())
        self.assertIn("the database is unchanged", err)
        self.assertIn("upgrade-held", m.findings())
        redis = m.docker("inspect", "--format", "{{.Config.Image}}", f"{m.project}-redis-1").strip()
        self.assertEqual(redis, other)
        self.assertEqual(m.difyd("rollback")[0], 4)
        self.assertEqual({n for n, s in m.containers().items() if s == "running" and ("api" in n or "worker" in n)}, set())
        code, out, err = m.difyd("upgrade", "1.12.5")
        self.assertEqual(code, 0, out + err + m.tail())
        self.assertTrue(m.is_set_up())


if __name__ == "__main__":
    unittest.main()
