#include "known.hpp"

#include <algorithm>
#include <utility>

#include "difyd/base/text.hpp"
#include "difyd/ledger/book.hpp"
#include "restore_rules.hpp"

namespace difyd::supervisor {
namespace {

constexpr auto undone_is_news = std::chrono::hours(24);

std::string what_of(const ledger::upgrade_record& past) {
  return past.from ? "the upgrade from " + past.from->text() + " to " + past.to.text()
                   : "the installation of " + past.to.text();
}

bool has_log(const ledger::record& book, const std::string& id) {
  return std::ranges::any_of(book.migrations, [&](const auto& each) { return each.id == id; });
}

// The one that leads back; else what step backup said: the folder, its content, the time from which on a
// restore loses what was written.
std::string backup_text(const ledger::record& book, const std::vector<backup_manifest>& backups) {
  const auto* back =
      book.deployed && past_return(book) ? newest_of(backups, book.deployed->version) : nullptr;
  if (back) return "; backup: " + back->id + ", " + restore_offer(*back);
  std::string said;
  if (book.in_flight)
    for (const auto& entry : book.in_flight->entries)
      if (entry.step == "backup" && entry.state == ledger::entry_state::done) said = entry.detail;
  return said.empty() ? said : "; backup: " + said;
}

finding held_finding(const known_facts& facts, const ledger::upgrade_record& held) {
  const auto& book = facts.book;
  return {"upgrade",
          "upgrade-held",
          severity::error,
          what_of(held) + " is held since " + time_text(held.ended_at) + ": " + held.reason +
              backup_text(book, facts.backups),
          join(hold_options(book, facts.backups, facts.at == phase::stopped), "\n"),
          false,
          held.ended_at};
}

finding undone_finding(const ledger::record& book, const ledger::upgrade_record& past) {
  std::string remedy = has_log(book, past.id) ? "difyd migrations log " + past.id +
                                                    ": shows what the migration said; changes nothing\n"
                                              : std::string();
  remedy += "difyd upgrade " + past.to.text() + ": tries it again, with the same downtime";
  return {"upgrade",
          "upgrade-undone",
          severity::info,
          past.to.text() + " was tried at " + time_text(past.started_at) + " and " +
              (past.from ? past.from->text() + " was put back" : "taken back") + ", because " + past.reason,
          past.from ? remedy : std::string(),
          false,
          past.ended_at};
}

finding restore_finding(const known_facts& facts) {
  const auto& restore = *facts.book.restoring;
  return {"restore",
          "restore-unfinished",
          severity::error,
          "the restore of backup " + restore.backup + ", begun " + time_text(restore.started_at) +
              ", is not finished" + (facts.at == phase::holding ? ": " + facts.message : ""),
          join(hold_options(facts.book, facts.backups), "\n"),
          false,
          restore.started_at};
}

void add_upgrade(std::vector<finding>& found, const known_facts& facts) {
  if (facts.book.restoring) {
    // While it is at work there is nothing to do about it.
    if (facts.at != phase::upgrading) found.push_back(restore_finding(facts));
    return;
  }
  if (const auto* held = held_upgrade(facts.book)) {
    found.push_back(held_finding(facts, *held));
    return;
  }
  if (facts.at == phase::holding) {
    found.push_back({"start", "start-held", severity::error, facts.message, join(facts.options, "\n"), false,
                     facts.since});
    return;
  }
  if (facts.book.history.empty()) return;
  // Whatever was tried after it is newer news.
  const auto& last = facts.book.history.back();
  if (last.result == ledger::ending::undone && facts.now - last.ended_at < undone_is_news)
    found.push_back(undone_finding(facts.book, last));
}

void add_owed(std::vector<finding>& found, const ledger::record& book) {
  for (const auto& each : book.owed)
    if (!each.failure.empty())
      found.push_back({"advisory." + each.advisory,
                       "command-failed",
                       severity::warning,
                       each.failure,
                       "difyd advisories run " + each.advisory + ": runs it again, and what follows it\n" +
                           "difyd advisories drop " + each.advisory + ": you have seen to it yourself",
                       false,
                       {}});
  const auto* next = ledger::next_command(book);
  if (next && !book.in_flight)
    found.push_back({"advisory." + next->advisory,
                     "command-owed",
                     severity::info,
                     next->command + " is to run, or runs, in " + next->service +
                         ": an advisory of the upgrade to " + next->since.text(),
                     "See: difyd advisories",
                     false,
                     {}});
}

void add_version(std::vector<finding>& found, const known_facts& facts) {
  if (facts.refused)
    found.push_back({"version",
                     "version-refused",
                     severity::warning,
                     "the start did not upgrade: " + facts.refused->message,
                     facts.refused->remedy,
                     false,
                     {}});
  const auto& deployed = facts.book.deployed;
  // What is deployed once a restore or an upgrade has ended may be another.
  if (facts.book.restoring || facts.book.in_flight) return;
  if (!deployed || !facts.configured || !(*facts.configured < deployed->version)) return;
  const std::string now = deployed->version.text();
  found.push_back({"version", "version-ignored", severity::info,
                   "version " + facts.configured->text() + " is configured but " + now +
                       " is deployed: versions only go forward, so the configured one is ignored",
                   "Write version: " + now + " into difyd's configuration, or leave the line out", false,
                   deployed->committed_at});
}

std::string few_of(std::vector<std::string> names) {
  constexpr std::size_t told = 4;
  const std::size_t more = names.size() - std::min(names.size(), told);
  names.resize(names.size() - more);
  return join(names, ", ") + (more > 0 ? " and " + std::to_string(more) + " more" : "");
}

void add_kept(std::vector<finding>& found, const known_facts& facts) {
  if (facts.not_kept)
    found.push_back({"release",
                     "release-not-kept",
                     severity::warning,
                     "the share does not keep what runs, so a new machine could not bring it up: " +
                         facts.not_kept->message,
                     facts.not_kept->remedy,
                     false,
                     {}});
  if (!facts.edited_overlay.empty())
    found.push_back(
        {"release",
         "overlay-edited",
         severity::info,
         "the overlay is not as it was taken in, and what was taken in runs: " + few_of(facts.edited_overlay),
         "difyd up takes it in, and so does the next upgrade",
         false,
         {}});
  if (facts.edited_bundle.empty() || !facts.book.deployed) return;
  const std::string version = facts.book.deployed->version.text();
  found.push_back(
      {"release",
       "bundle-edited",
       severity::warning,
       "the bundle of " + version +
           " was edited after it was deployed, and what was deployed runs: " + few_of(facts.edited_bundle),
       "Put the published files back; or, to run them as they are: difyd down, then difyd repin " + version,
       false,
       {}});
}

void add_secret_key(std::vector<finding>& found, const known_facts& facts) {
  if (!facts.secret_key || *facts.secret_key == release::secret_key::own) return;
  const bool empty = *facts.secret_key == release::secret_key::empty;
  found.push_back({"secret-key",
                   empty ? "secret-key-empty" : "secret-key-public",
                   severity::warning,
                   empty ? "SECRET_KEY is empty, so services may each make one of their own"
                         : "SECRET_KEY is the one that Dify publishes: anyone can forge sessions and links",
                   "Give your own below environment_files and restart difyd, better early than late: a new "
                   "key ends all sessions and signed links, and stored OAuth clients must be entered again",
                   false,
                   {}});
}

void add_maintenance(std::vector<finding>& found, const known_facts& facts) {
  if (!facts.maintenance_since) return;
  const auto& reason = facts.maintenance_reason;
  found.push_back({"maintenance", "maintenance-on", severity::info,
                   "maintenance is on since " + time_text(*facts.maintenance_since) +
                       ", visitors see a page instead of Dify" + (reason.empty() ? "" : ": " + reason),
                   "difyd maintenance off lets them in again", false, *facts.maintenance_since});
}

}  // namespace

const ledger::upgrade_record* held_upgrade(const ledger::record& book) {
  if (!book.in_flight) return nullptr;
  for (const auto& past : book.history)
    if (past.id == book.in_flight->id && past.result == ledger::ending::held) return &past;
  return nullptr;
}

std::vector<std::string> hold_options(const ledger::record& book, const std::vector<backup_manifest>& backups,
                                      bool stopped) {
  std::vector<std::string> options;
  if (book.restoring) return {"difyd up: goes on with the restore from where it is"};
  if (!book.in_flight) return options;
  const auto& flight = *book.in_flight;
  const std::string up = stopped ? "difyd up, then " : "", to = flight.to.text();
  if (has_log(book, flight.id))
    options.push_back("difyd migrations log " + flight.id +
                      ": shows what the migration said; changes nothing");
  const auto* backup = book.deployed ? newest_of(backups, book.deployed->version) : nullptr;
  if (!past_return(book) && flight.from)
    options.push_back(up + "difyd rollback: puts " + flight.from->text() + " back; nothing is lost");
  else if (past_return(book) && backup)
    options.push_back(up + "difyd rollback --restore " + backup->id + ": " + restore_offer(*backup) +
                      "; what was written since is lost to it");
  const bool back = !options.empty() && options.back().find("difyd rollback") != std::string::npos;
  if (back) {
    options.push_back(up +
                      "difyd resume, or difyd upgrade VERSION: tries it again, or a release that fixes it");
    return options;
  }
  options.push_back(up + "difyd resume: tries the same upgrade again, from where the database is");
  options.push_back(up + "difyd upgrade VERSION: goes forward to a release that fixes it");
  return options;
}

bool meant(const finding& probed, phase at, const std::vector<std::string>& own) {
  const auto of_the_stack = {"service.", "port.", "setup", "api", "stack", "logs", "environment"};
  if (std::ranges::any_of(of_the_stack, [&](const char* each) { return probed.subject.starts_with(each); }))
    return at == phase::serving || at == phase::starting;
  return at != phase::stopped || std::ranges::none_of(own, [&](const auto& each) {
           return probed.subject == each || probed.subject.starts_with(each + ".");
         });
}

std::vector<finding> known_findings(const known_facts& facts) {
  std::vector<finding> found;
  add_upgrade(found, facts);
  add_owed(found, facts.book);
  add_version(found, facts);
  add_kept(found, facts);
  add_secret_key(found, facts);
  add_maintenance(found, facts);
  return found;
}

}  // namespace difyd::supervisor
