// The table of codes against the sources that give them, and against the manual.
#include "difyd/health/codes.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

#include "catch.hpp"
#include "difyd/health/judge.hpp"
#include "source_dir.hpp"

using namespace difyd;
using namespace difyd::health;

namespace {

const std::filesystem::path source = source_dir();

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Every file that makes findings, or errors whose code becomes one's.
bool makes_findings(const std::filesystem::path& path) {
  const auto folder = path.parent_path().filename().string(), name = path.filename().string();
  if (folder == "health") return name.starts_with("judge_") || name.starts_with("probe");
  if (folder == "host")
    return name.starts_with("judge_") || name.starts_with("probe_") || name == "clock.cpp";
  if (folder == "supervisor")
    return name.starts_with("probe_") || name == "known.cpp" || name == "probing.cpp" ||
           name == "replacing.cpp";
  return folder == "database" && name == "classify.cpp";
}

// Literals in these files that look like codes: with the file that has them.
std::map<std::string, std::string> literals() {
  std::map<std::string, std::string> found;
  const std::regex pattern("\"([a-z]+(-[a-z0-9]+)+)\"");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(source / "daemon")) {
    if (!makes_findings(entry.path())) continue;
    const auto text = text_of(entry.path());
    for (std::sregex_iterator each(text.begin(), text.end(), pattern), end; each != end; ++each)
      found[(*each)[1]] = entry.path().filename();
  }
  return found;
}

// Errors that never become the code of a finding, names of probes and the like.
const std::set<std::string> no_codes{
    "deadline-exceeded", "lane-busy",      "file-missing",  "file-io",          "share-hung",
    "share-missing",     "share-stale",    "share-lying",   "share-read-only",  "share-not-writable",
    "secret-key",        "object-storage", "api-unhealthy", "setup-unreadable", "difyd-migrate",
    "code-unknown",      "boot-"};

}  // namespace

TEST_CASE("every code that a probe can give is in the table") {
  const auto all = literals();
  CHECK(all.size() > 100);
  for (const auto& [literal, file] : all) {
    if (no_codes.contains(literal)) continue;
    INFO(file << " gives " << literal << ": it needs a row in daemon/health/codes.cpp");
    CHECK(find_code(literal) != nullptr);
  }
}

TEST_CASE("every code of the table is given by somebody, once") {
  const auto all = literals();
  std::set<std::string_view> seen;
  for (const auto& each : codes()) {
    INFO(each.code);
    CHECK(seen.insert(each.code).second);
    CHECK_FALSE(each.meaning.empty());
    if (each.worst > severity::info) CHECK_FALSE(each.remedy.empty());
    const std::string code(each.code);
    const bool made_up = code.starts_with("boot-");  // judge_host.cpp puts it before the disk's code
    const bool elsewhere = code == "database-not-up" || code == "name-unknown";
    if (!made_up && !elsewhere) CHECK(all.contains(code));
  }
}

TEST_CASE("a new machine is asked for by the codes that the table says") {
  for (const auto& each : codes()) {
    INFO(each.code);
    CHECK(may_replace({"x", std::string(each.code), severity::critical, "", "", true, {}}) ==
          each.new_vm_helps);
  }
}

TEST_CASE("the manual has the table") {
  const auto manual = text_of(source / "docs/manual.md");
  INFO("put the output of `difyd check --codes` into docs/manual.md");
  CHECK(manual.find(render_codes()) != std::string::npos);
}
