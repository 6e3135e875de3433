#include "difyd/upgrade/migration_watch.hpp"

#include <algorithm>

namespace difyd::upgrade {
namespace {

std::string time_text(std::int64_t seconds) {
  return seconds < 120 ? std::to_string(seconds) + " s" : std::to_string(seconds / 60) + " min";
}

}  // namespace

std::string to_text(const database::blocker& blocker) {
  std::string who = "session " + std::to_string(blocker.blocked_by);
  if (!blocker.user.empty()) who += " of " + blocker.user;
  if (!blocker.application_name.empty()) who += " (" + blocker.application_name + ")";
  std::string text = "the migration has waited " + time_text(blocker.seconds) + " for " +
                     (blocker.relation.empty() ? "a lock" : "table " + blocker.relation) + ", held by " + who;
  if (blocker.transaction_seconds > 0) text += " since " + time_text(blocker.transaction_seconds);
  if (!blocker.state.empty()) text += ", " + blocker.state;
  if (!blocker.statement.empty()) text += ": " + blocker.statement;
  return text + "; to end that session: select pg_terminate_backend(" + std::to_string(blocker.blocked_by) +
         ")";
}

std::vector<std::string> migration_watch::tell(const migration_view& now) {
  std::vector<std::string> said;
  std::set<std::pair<int, int>> present;
  for (const auto& blocker : now.blockers) {
    if (std::chrono::seconds(blocker.seconds) < block_after) continue;
    last_block_ = to_text(blocker);
    present.emplace(blocker.pid, blocker.blocked_by);
    if (!told_.contains({blocker.pid, blocker.blocked_by})) said.push_back(last_block_);
  }
  told_ = std::move(present);

  if (active_ == std::chrono::steady_clock::time_point{} || now.working) active_ = now.at;
  const auto last = std::max(active_, now.last_output);
  const bool stalled = now.at - last >= stall_after;
  if (stalled && !stall_told_)
    said.push_back("no output of the migration and nothing at work in the database for " +
                   std::to_string(stall_after.count()) +
                   " min; it goes on waiting: look at its container and at the database");
  stall_told_ = stalled;
  return said;
}

}  // namespace difyd::upgrade
