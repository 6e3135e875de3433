#include "restore_rules.hpp"

#include <algorithm>

#include "difyd/base/text.hpp"
#include "known.hpp"

namespace difyd::supervisor {
namespace {

constexpr std::size_t longest_name = 63;  // of PostgreSQL's identifiers

const database::database_entry* entry_of(const std::vector<database::database_entry>& all,
                                         const std::string& name) {
  const auto found = std::ranges::find(all, name, &database::database_entry::name);
  return found == all.end() ? nullptr : &*found;
}

std::unexpected<Error> cannot(const restore_facts& facts, const char* code, const std::string& cause,
                              std::string remedy) {
  return fail(code, "cannot restore backup " + facts.backup.id + ": " + cause, std::move(remedy));
}

Result<> databases_allow(const restore_facts& facts) {
  if (!facts.may_create)
    return cannot(facts, "database-permission", "role " + facts.role + " may not create databases",
                  "As an administrator: ALTER ROLE " + facts.role + " CREATEDB");
  for (const auto& name : facts.backup.databases) {
    const auto* now = entry_of(facts.databases, name);
    if (now && !now->owned)
      return cannot(facts, "database-permission",
                    "database " + name + " is not " + facts.role + "'s, who has to rename it",
                    "As an administrator: ALTER DATABASE " + name + " OWNER TO " + facts.role);
    if (set_aside_name(name, std::string(8, '0')).size() > longest_name)
      return cannot(facts, "database-permission", "the name of database " + name + " is too long", {});
    if (facts.lease_database.empty() || facts.lease_database == name)
      return cannot(
          facts, "lease-in-main", "the lease lives in one of the databases that would be replaced",
          "Give it one of its own: CREATE DATABASE difyd OWNER " + facts.role + ", then restart difyd");
  }
  if (facts.free_bytes && *facts.free_bytes < bytes_of(facts))
    return cannot(facts, "disk-full",
                  "it takes about " + bytes_text(bytes_of(facts)) + " and " + bytes_text(*facts.free_bytes) +
                      " are free",
                  "Make room: the databases of now stay beside the restored ones");
  return {};
}

}  // namespace

std::string loaded_name(const std::string& database, const std::string& id) {
  return database + "_restore_" + id.substr(0, 8);
}

std::string set_aside_name(const std::string& database, const std::string& id) {
  return database + "_before_restore_" + id.substr(0, 8);
}

std::uint64_t bytes_of(const restore_facts& facts) {
  std::int64_t sum = 0;
  for (const auto& name : facts.backup.databases)
    if (const auto* now = entry_of(facts.databases, name)) sum += now->bytes;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(sum, 0));
}

Result<> may_restore(const restore_facts& facts) {
  const auto& backup = facts.backup;
  if (backup.kind == "cloudsql")
    return cannot(facts, "backup-not-restorable", why_not_restorable(backup),
                  restore_commands(backup.runs, {backup.version.text(),
                                                 backup.writes_stopped ? to_rfc3339(backup.time) : ""}));
  if (const auto why = why_not_restorable(backup); !why.empty())
    return cannot(facts, "backup-not-restorable", why, "Others: difyd backup list");
  if (facts.book.restoring)
    return cannot(facts, "restore-in-flight",
                  "the restore of " + facts.book.restoring->backup + " is not finished",
                  "Finish it first: difyd up");
  if (facts.book.in_flight && !held_upgrade(facts.book))
    return cannot(facts, "upgrade-in-flight",
                  "the upgrade to " + facts.book.in_flight->to.text() + " is in flight",
                  "Wait for it: difyd upgrade --follow");
  if (std::ranges::find(backup.databases, facts.main) == backup.databases.end())
    return cannot(facts, "backup-not-restorable", "database " + facts.main + " is not in it",
                  "Others: difyd backup list");
  if (facts.asked && *facts.asked > backup.version)
    return cannot(
        facts, "version-asked",
        "it brings back " + backup.version.text() + ", and the configuration asks for " +
            facts.asked->text() + ", to which the next start would upgrade again",
        "Write version: " + backup.version.text() +
            " into difyd's configuration (or the instance's metadata), restart difyd, then try again");
  return databases_allow(facts);
}

std::string span_text(std::chrono::seconds span) {
  const auto seconds = std::max<long long>(span.count(), 0);
  const auto text = [](long long number, const char* unit) { return std::to_string(number) + " " + unit; };
  if (seconds < 120) return text(seconds, "s");
  if (seconds < 2 * 3600) return text(seconds / 60, "min");
  if (seconds < 48 * 3600) return text(seconds / 3600, "h") + " " + text(seconds / 60 % 60, "min");
  return text(seconds / 86400, "days") + " " + text(seconds / 3600 % 24, "h");
}

control::restore_plan restore_plan_of(const restore_facts& facts, wall_time now) {
  const auto& backup = facts.backup;
  control::restore_plan plan;
  plan.backup = backup.id;
  plan.version = backup.version.text();
  const auto span = std::chrono::duration_cast<std::chrono::seconds>(now - backup.time);
  plan.loses.push_back("What was written to Dify in the " + span_text(span) + " since " +
                       time_text(backup.time) + " is gone from it: " + join(backup.databases, ", ") + ".");
  plan.loses.push_back(
      "What no backup holds stays as it is now: uploaded files, plugins, a vector store outside of these "
      "databases. It may be newer than the restored databases.");
  if (!backup.writes_stopped)
    plan.loses.push_back(
        "Dify served while the backup was taken: its databases and keys are not all of the same moment.");
  plan.loses.push_back(
      "Settings of a database itself (ALTER DATABASE ... SET, GRANT ... ON DATABASE) are not in it.");
  std::vector<std::string> aside;
  for (const auto& name : backup.databases)
    if (entry_of(facts.databases, name)) aside.push_back(set_aside_name(name, "<id>"));
  plan.keeps.push_back("The databases of now (" + bytes_text(bytes_of(facts)) + ") stay on the server as " +
                       join(aside, ", ") + ".");
  plan.keeps.push_back("The keys and the environment of now stay in .difyd/before-restore-<id>.");
  return plan;
}

swap_decision decide_swap(const ledger::restore& of, const std::vector<database::database_entry>& present) {
  swap_decision result;
  std::vector<std::string> loaded, missing;
  for (const auto& name : of.databases) {
    const bool aside = entry_of(present, set_aside_name(name, of.id));
    (entry_of(present, loaded_name(name, of.id)) ? loaded : missing).push_back(name);
    if (entry_of(present, loaded_name(name, of.id)) && aside)
      return {swap_action::impossible, {}, "there is " + set_aside_name(name, of.id) + " already"};
    if (entry_of(present, name)) result.names.push_back({name, set_aside_name(name, of.id)});
  }
  for (const auto& name : of.databases) result.names.push_back({loaded_name(name, of.id), name});
  if (missing.empty()) {
    result.action = swap_action::swap;
    return result;
  }
  for (const auto& name : of.databases)
    if (!loaded.empty() || !entry_of(present, name))
      return {swap_action::impossible, {}, "there is no database " + loaded_name(missing.front(), of.id)};
  return {swap_action::done, {}, {}};
}

bool past_return(const ledger::record& book) {
  return book.in_flight && std::ranges::any_of(book.in_flight->entries, &ledger::journal_entry::irreversible);
}

Error past_return_error(const ledger::record& book, const std::vector<backup_manifest>& backups,
                        wall_time now) {
  const std::string to = book.in_flight ? book.in_flight->to.text() : std::string();
  Error error{
      "too-late",
      "cannot go back without a backup: the upgrade to " + to + " has moved the database or its server",
      "There is no backup that difyd could restore; forward: difyd upgrade VERSION"};
  const auto* backup = book.deployed ? newest_of(backups, book.deployed->version) : nullptr;
  if (!backup) return error;
  const auto span = std::chrono::duration_cast<std::chrono::seconds>(now - backup->time);
  error.remedy = "difyd rollback --restore " + backup->id + ": " + restore_offer(*backup) +
                 "; what was written in the " + span_text(span) + " since is lost to it";
  return error;
}

}  // namespace difyd::supervisor
