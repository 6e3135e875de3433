"""The checker finds what it is for: a checker that finds nothing proves nothing."""
import pathlib
import tempfile
import unittest

import overlap

LINE = '2026-11-21 10:00:{0:06.3f} UTC,"dify","dify",1,"172.18.0.2:1",{1},1,"",2026-11-21 10:00:00 UTC,1/1,0,LOG,00000,"{2}",,,,,,,,,"","client backend",,0\n'


class Overlap(unittest.TestCase):
    def found(self, *events):
        with tempfile.TemporaryDirectory() as folder:
            text = "".join(LINE.format(at, session, message) for at, session, message in events)
            (pathlib.Path(folder) / "a.csv").write_text(text)
            return [(a.kind, b.kind) for a, b in overlap.overlaps(folder)]

    def test_two_versions(self):
        begin = "connection authorized: user=dify database=dify application_name=dify-{}-api SSL enabled"
        end = "disconnection: session time: 0:00:01.000 user=dify database=dify host=172.18.0.2 port=1"
        old, new = begin.format("1.11.3"), begin.format("1.12.1")
        migrator = "connection authorized: user=dify database=dify application_name=difyd-migrate-ab"
        self.assertEqual(self.found((1, "a", old), (2, "b", new), (3, "a", end)), [("1.11.3", "1.12.1")])
        self.assertEqual(self.found((1, "a", old), (2, "a", end), (3, "b", new)), [])
        self.assertEqual(self.found((1, "a", old), (2, "m", migrator)), [("1.11.3", "migrator")])
        self.assertEqual(self.found((1, "m", migrator), (2, "b", new), (3, "m", end)), [("migrator", "1.12.1")])
        self.assertEqual(self.found((1, "a", old), (2, "b", old)), [])
        ready = "database system is ready to accept connections"
        self.assertEqual(self.found((1, "a", old), (2, "x", ready), (3, "b", new)), [])


if __name__ == "__main__":
    unittest.main()
