"""The plan as a document with a hash, and an upgrade that carries out that plan or none."""
import re
import unittest

import machine
from machine import Machine

machine.need_engine()


class Plan(unittest.TestCase):
    def setUp(self):
        self.m = Machine("1.11.4")
        self.addCleanup(self.m.close)
        self.m.serve().await_phase("serving")

    def test_the_plan_that_was_read_is_the_one_that_is_carried_out(self):
        plan = self.m.json("plan", "1.12.1")
        self.assertEqual(self.m.json("plan", "1.12.1")["hash"], plan["hash"])
        self.assertEqual((plan["schema"]["from"], plan["schema"]["to"], plan["schema"]["unknown"]),
                         ("905527cc8fd3", "788d3099ae3a", ""))
        self.assertEqual([(each["revision"], each["text"], each["commits"]) for each in plan["schema"]["migrations"]],
                         [("5e1201000001", "Messages get a status.", ""), ("5e1201000002", "Statuses are filled in.", ""),
                          ("788d3099ae3a", "Workflows, head of 1.12.0 and 1.12.1.", "")])
        api = {each["image"]: each for each in plan["images"]}["langgenius/dify-api:1.12.1"]
        self.assertTrue(api["present"] and api["changed"] and api["id"].startswith("sha256:") and api["bytes"] > 0, api)
        self.assertGreater(plan["disk"]["free_bytes"], 0)
        self.assertIn("VECTOR_STORE", plan["carried"])
        self.assertEqual((plan["data_services"], plan["services_added"], plan["services_removed"]), ([], [], []))
        self.assertEqual(plan["downtime"]["upgrade"], "")
        self.assertTrue(all(each["cause"] for each in plan["operations"]))

        # What commits midway is found in the image's own migrations.
        midway = [each for each in self.m.json("plan", "1.13.3")["schema"]["migrations"] if each["commits"]]
        self.assertEqual([each["revision"] for each in midway], ["6b5f9f8b1a2c"])
        self.assertIn("autocommit_block", midway[0]["commits"])
        self.assertEqual([name for name in self.m.docker("ps", "-a", "--format", "{{.Names}}").split()
                          if name.startswith(f"{self.m.project}-difyd-heads")], [])

        # An override that came after the plan was read.
        self.m.stop_daemon()
        self.m.override("LOG_LEVEL", "DEBUG")
        self.m.serve().await_phase("serving")
        before = self.m.containers()
        code, out, err = self.m.difyd("upgrade", "1.12.1", "--plan", plan["hash"])
        self.assertEqual(code, 4, out + err)
        self.assertEqual((self.m.containers(), self.m.status()["deployed"]), (before, "1.11.4"))
        self.assertIn(f"by plan {plan['hash']}: the plan is another by now: environment\n", err)
        self.assertIn("difyd plan 1.12.1", err)

        text = self.m.difyd("plan", "1.12.1")[1]
        again = re.search("difyd upgrade 1.12.1 --plan (.*)\n", text)[1]
        self.assertIn("905527cc8fd3 -> 788d3099ae3a, 3 migrations, none commits midway", text)
        code, out, err = self.m.difyd("upgrade", "1.12.1", "--plan", again)
        self.assertEqual(code, 0, out + err + self.m.tail())
        self.assertIn(f"1.11.4 -> 1.12.1, by plan {again}", out)
        self.assertIn("images are here; 3 migrations\n", out)
        self.assertEqual(self.m.status()["deployed"], "1.12.1")

        downtime = self.m.json("plan", "1.13.0")["downtime"]
        self.assertEqual((downtime["from"], downtime["to"]), ("1.11.4", "1.12.1"))
        past = self.m.json("history")[-1]
        self.assertEqual(downtime["upgrade"], past["id"])
        self.assertAlmostEqual(downtime["seconds"], past["downtime_seconds"], places=2)


if __name__ == "__main__":
    unittest.main()
