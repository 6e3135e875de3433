"""What daemon/modules allows is what the sources include, and what daemon/README.md says."""
import pathlib
import re
import sys
import unittest

SOURCE = pathlib.Path(sys.argv.pop(1)).resolve()
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def read_modules():
    """module -> modules that it names, as daemon/modules has them."""
    result = {}
    for line in (SOURCE / "daemon/modules").read_text().splitlines():
        if line and not line.startswith("#"):
            name, rest = line.split(":", 1)
            result[name] = rest.split("|", 1)[0].split()
    return result


MODULES = read_modules()


def allowed(module, seen=None):
    """The module and everything that it may use, through others too."""
    seen = set() if seen is None else seen
    if module not in seen:
        seen.add(module)
        for used in MODULES[module]:
            allowed(used, seen)
    return seen


def files(module):
    for folder in (SOURCE / "daemon" / module, SOURCE / "include/difyd" / module):
        if folder.is_dir():
            yield from sorted(path for path in folder.rglob("*") if path.suffix in (".cpp", ".hpp"))


def includes(path):
    return INCLUDE.findall(path.read_text(errors="replace"))


def short(path):
    return str(path.relative_to(SOURCE))


class Architecture(unittest.TestCase):
    def test_modules_are_layers(self):
        for module, uses in MODULES.items():
            for used in uses:
                self.assertIn(used, MODULES, f"{module} uses a module that daemon/modules does not name")
                self.assertNotIn(module, allowed(used), f"{module} and {used} use each other")

    def test_every_folder_is_a_module(self):
        for parent in ("daemon", "include/difyd"):
            folders = {path.name for path in (SOURCE / parent).iterdir() if path.is_dir()}
            self.assertLessEqual(folders, set(MODULES), f"folders of {parent} that daemon/modules does not name")

    def test_modules_include_what_they_may_use(self):
        wrong = []
        for module in MODULES:
            may = allowed(module)
            for path in files(module):
                for name in includes(path):
                    parts = name.split("/")
                    if parts[0] == "difyd" and len(parts) > 2 and parts[1] not in may:
                        wrong.append(f"{short(path)} includes {name}: {module} may not use {parts[1]}")
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def test_no_module_reaches_into_anothers_folder(self):
        wrong = []
        for module in MODULES:
            for path in files(module):
                for name in includes(path):
                    if ".." in name.split("/"):
                        wrong.append(f"{short(path)} includes {name}")
                    elif path.is_relative_to(SOURCE / "daemon") and "/" in name:
                        first = name.split("/")[0]
                        if first in MODULES and first != module and (SOURCE / "daemon" / name).exists():
                            wrong.append(f"{short(path)} includes {name}")
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def test_main_includes_only_the_commands(self):
        for name in includes(SOURCE / "daemon/main.cpp") if (SOURCE / "daemon/main.cpp").exists() else []:
            if name.startswith("difyd/"):
                self.assertIn(name.split("/")[1], allowed("cli"), name)

    def having(self, pattern):
        return [short(path) for module in MODULES for path in files(module)
                if any(re.match(pattern, name) for name in includes(path))]

    def test_beast_stays_in_http(self):
        wrong = [name for name in self.having(r"boost/beast\b") if not name.startswith("daemon/http/")]
        self.assertEqual(wrong, [])

    def test_libpqxx_stays_in_one_file(self):
        users = self.having(r"pqxx\b")
        self.assertLessEqual(len(users), 1, users)
        wrong = [name for name in self.having(r"(pqxx\b|libpq)") if not name.startswith("daemon/database/")]
        self.assertEqual(wrong, [])

    def test_libcurl_and_libarchive_stay_in_the_helper(self):
        wrong = [name for name in self.having(r"(curl/|archive\.h|archive_entry\.h)") if not name.startswith("daemon/helper/")]
        self.assertEqual(wrong, [])
        self.assertEqual([name for name in MODULES if "helper" in MODULES[name]], [])

    def test_sources_are_of_a_readable_size(self):
        sizes = sorted((len(path.read_text(errors="replace").splitlines()), short(path))
                       for module in MODULES for path in files(module) if path.name != "table.cpp")  # data
        self.assertLessEqual([each for each in sizes if each[0] > 400], [])

    @unittest.skipUnless((SOURCE / "daemon/README.md").exists(), "daemon/README.md is not written yet")
    def test_the_architecture_page_has_the_same_table(self):
        """Rows "| `module` | what it offers | modules it may use |"; "all" stands for what daemon/modules spells out."""
        rows = re.findall(r"^\|\s*`(\w+)`\s*\|.*\|([^|]*)\|\s*$", (SOURCE / "daemon/README.md").read_text(), re.MULTILINE)
        table = {name: uses for name, uses in rows if name in MODULES}
        self.assertEqual(set(table), set(MODULES))
        for name, uses in table.items():
            if not uses.strip().startswith("all"):
                self.assertEqual(set(re.findall(r"\w+", uses)) & set(MODULES), set(MODULES[name]), name)


if __name__ == "__main__":
    unittest.main()
