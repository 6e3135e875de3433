// What people are told while a migration runs: who blocks it, and that nothing happens. Pure.
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "difyd/database/server.hpp"

namespace difyd::upgrade {

struct migration_view {
  std::chrono::steady_clock::time_point at{};
  std::chrono::steady_clock::time_point last_output{};
  bool working = false;  // a session of the migrator executes a statement and waits for nobody
  std::vector<database::blocker> blockers;
};

// One run of a migrator. Each block and each standstill is told once; what ended may be told anew.
class migration_watch {
 public:
  // Sentences; empty where there is nothing new to say.
  std::vector<std::string> tell(const migration_view& now);
  // The newest sentence about a blocker: it explains a lock timeout that ends the run. Empty without one.
  const std::string& last_block() const { return last_block_; }

 private:
  std::set<std::pair<int, int>> told_;  // waiting session, blocking session
  std::chrono::steady_clock::time_point active_{};
  bool stall_told_ = false;
  std::string last_block_;
};

// Without output or activity in the database for this long, a migration stands still.
inline constexpr std::chrono::minutes stall_after{5};
// A shorter wait for a lock is not worth a word.
inline constexpr std::chrono::seconds block_after{3};

// "messages is locked for 12 s by session 4711 of dba (psql), in its transaction for 5 min, idle in
// transaction; its last statement: LOCK TABLE messages. ..."
std::string to_text(const database::blocker& blocker);

}  // namespace difyd::upgrade
