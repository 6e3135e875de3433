#include "../../../daemon/supervisor/restore_rules.hpp"

#include "catch.hpp"

using namespace difyd;
using namespace difyd::supervisor;
using namespace std::chrono_literals;

namespace {

const wall_time start = wall_time{} + 20000 * 24h;

version v(const char* text) { return *parse_version(text); }

restore_facts good() {
  restore_facts facts;
  facts.backup.id = "x";
  facts.backup.kind = "pg_dump";
  facts.backup.time = start;
  facts.backup.version = v("1.11.4");
  facts.backup.writes_stopped = true;
  facts.backup.databases = {"dify", "dify_plugin"};
  facts.book.deployed.emplace();
  facts.book.deployed->version = v("1.12.1");
  facts.main = "dify";
  facts.asked = v("1.11.4");
  facts.role = "dify";
  facts.may_create = true;
  facts.lease_database = "difyd";
  facts.databases = {{"dify", true, 100}, {"difyd", true, 7}, {"other", false, 9}};
  return facts;
}

ledger::journal flight() {
  ledger::journal journal;
  journal.id = "u";
  journal.from = v("1.11.4");
  journal.to = v("1.12.1");
  return journal;
}

}  // namespace

TEST_CASE("what a restore needs is known before anything stops") {
  struct row {
    const char* code;  // "" where it may
    void (*change)(restore_facts&);
  };
  const row table[] = {
      {"", [](restore_facts&) {}},
      {"", [](restore_facts& f) { f.asked.reset(); }},
      {"", [](restore_facts& f) { f.free_bytes = 100; }},
      {"",
       [](restore_facts& f) {
         f.book.in_flight = flight();
         f.book.history.push_back({"u", {}, v("1.12.1"), start, start, ledger::ending::held, "x", {}});
       }},
      {"backup-not-restorable", [](restore_facts& f) { f.backup.kind = "command"; }},
      {"backup-not-restorable", [](restore_facts& f) { f.backup.half_migrated = true; }},
      {"backup-not-restorable", [](restore_facts& f) { f.backup.databases.clear(); }},
      {"backup-not-restorable", [](restore_facts& f) { f.main = "renamed"; }},
      {"restore-in-flight", [](restore_facts& f) { f.book.restoring.emplace(); }},
      {"upgrade-in-flight", [](restore_facts& f) { f.book.in_flight = flight(); }},
      {"version-asked", [](restore_facts& f) { f.asked = v("1.12.1"); }},
      {"database-permission", [](restore_facts& f) { f.may_create = false; }},
      {"database-permission", [](restore_facts& f) { f.databases[0].owned = false; }},
      {"database-permission", [](restore_facts& f) { f.backup.databases.push_back(std::string(50, 'x')); }},
      {"lease-in-main", [](restore_facts& f) { f.lease_database.clear(); }},
      {"lease-in-main", [](restore_facts& f) { f.backup.databases.push_back("difyd"); }},
      {"disk-full", [](restore_facts& f) { f.free_bytes = 99; }},
  };
  for (const auto& each : table) {
    auto facts = good();
    each.change(facts);
    const auto answer = may_restore(facts);
    CAPTURE(each.code);
    CHECK((answer ? "" : answer.error().code) == each.code);
    if (!answer) CHECK(!answer.error().message.empty());
  }
}

TEST_CASE("the swap happened or it did not, by the names that are there") {
  ledger::restore of;
  of.id = "abcdef0123456789";
  of.databases = {"dify", "dify_plugin"};
  using names = std::vector<const char*>;
  using database::new_name;
  struct row {
    names present;
    swap_action action;
    std::vector<new_name> moves;
  };
  const row table[] = {
      {{"dify", "dify_plugin", "dify_restore_abcdef01", "dify_plugin_restore_abcdef01"},
       swap_action::swap,
       {{"dify", "dify_before_restore_abcdef01"},
        {"dify_plugin", "dify_plugin_before_restore_abcdef01"},
        {"dify_restore_abcdef01", "dify"},
        {"dify_plugin_restore_abcdef01", "dify_plugin"}}},
      // One that is not there any more has nothing to set aside.
      {{"dify", "dify_restore_abcdef01", "dify_plugin_restore_abcdef01"},
       swap_action::swap,
       {{"dify", "dify_before_restore_abcdef01"},
        {"dify_restore_abcdef01", "dify"},
        {"dify_plugin_restore_abcdef01", "dify_plugin"}}},
      {{"dify", "dify_plugin", "dify_before_restore_abcdef01", "dify_plugin_before_restore_abcdef01"},
       swap_action::done,
       {}},
      {{"dify", "dify_plugin"}, swap_action::done, {}},  // set aside and dropped
      {{"dify", "dify_plugin", "dify_restore_abcdef01"}, swap_action::impossible, {}},
      {{"dify"}, swap_action::impossible, {}},
      {{"dify", "dify_restore_abcdef01", "dify_plugin_restore_abcdef01", "dify_before_restore_abcdef01"},
       swap_action::impossible,
       {}},
  };
  for (const auto& each : table) {
    std::vector<database::database_entry> present;
    for (const auto* name : each.present) present.push_back({name, true, 0});
    const auto decision = decide_swap(of, present);
    CAPTURE(each.present.size(), decision.reason);
    CHECK(decision.action == each.action);
    if (each.action == swap_action::swap) CHECK(decision.names == each.moves);
    CHECK(decision.reason.empty() == (each.action != swap_action::impossible));
  }
}

TEST_CASE("what is lost and what stays is said with names and times") {
  auto facts = good();
  const auto plan = restore_plan_of(facts, start + 3h + 7min);
  CHECK(plan.version == "1.11.4");
  CHECK(plan.loses[0] ==
        "What was written to Dify in the 3 h 7 min since 2024-10-04 00:00:00 UTC is gone from it: dify, "
        "dify_plugin.");
  CHECK(plan.keeps[0] == "The databases of now (100 B) stay on the server as dify_before_restore_<id>.");
  const auto quiet = plan.loses.size();
  facts.backup.writes_stopped = false;
  CHECK(restore_plan_of(facts, start).loses.size() == quiet + 1);
  CHECK(span_text(119s) == "119 s");
  CHECK(span_text(5min) == "5 min");
  CHECK(span_text(49h) == "2 days 1 h");
  CHECK(span_text(-5s) == "0 s");
}

TEST_CASE("past the point of no return the backup is named, or that there is none") {
  ledger::record book = good().book;
  book.in_flight = flight();
  CHECK_FALSE(past_return(book));
  book.in_flight->entries.push_back({"migrate", ledger::entry_state::failed, start, "x", true});
  CHECK(past_return(book));
  CHECK(past_return_error(book, {}, start).remedy.find("difyd upgrade VERSION") != std::string::npos);
  auto backup = good().backup;
  backup.version = v("1.12.1");
  const auto error = past_return_error(book, {backup}, start + 5min);
  CHECK(error.code == "too-late");
  CHECK(error.remedy ==
        "difyd rollback --restore x: puts 1.12.1 back as it was at 2024-10-04 00:00:00 UTC; what was written "
        "in "
        "the 5 min since is lost to it");
}
