// What a rehearsal found out, in sentences. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/clock.hpp"
#include "difyd/database/server.hpp"
#include "difyd/model/revision.hpp"
#include "difyd/model/version.hpp"

namespace difyd::supervisor {

// The name of the copy: <database>_rehearsal_<8 hex digits of the storage's identity>_<8 of `id`>, within
// PostgreSQL's 63 characters. Several installations may make theirs on one server.
std::string scratch_name(const std::string& database, const std::string& share, const std::string& id);
// Whether `name` is such a copy of `database`: of a rehearsal that did not come to its end.
bool is_scratch(const std::string& name, const std::string& database, const std::string& share);

// Times of single migrations, out of the migrator's lines as they come.
class migration_times {
 public:
  using clock = std::chrono::steady_clock;
  struct timed {
    std::string revision;  // that it leads to
    std::string text;
    double seconds = 0;
  };
  void line(std::string_view line, clock::time_point at);
  void end(clock::time_point at);
  const std::vector<timed>& all() const { return all_; }

 private:
  std::vector<timed> all_;
  clock::time_point begun_{};
};

// How often locks are looked at: a shorter one may not be seen.
inline constexpr duration locks_interval{250};

// Locks as they were seen, by table: the strongest mode, and for how long any was there.
class lock_times {
 public:
  struct held {
    std::string mode;
    double seconds = 0;
  };
  void sample(const std::vector<database::table_lock>& locks, double since_last);
  const std::map<std::string, held>& all() const { return all_; }

 private:
  std::map<std::string, held> all_;
};

struct rehearsal {
  version to;
  std::string backup;
  version of;          // the backup
  std::string server;  // that is named for rehearsals; empty: the stack's own
  std::uint64_t dump_bytes = 0;
  double load_seconds = 0;
  double seconds = 0;  // of the migration
  int exit_code = 0;
  revision before;
  revision after;
  revision head;      // of the new image
  std::string cause;  // of a failure
  std::vector<migration_times::timed> migrations;
  std::map<std::string, lock_times::held> locks;
};

bool succeeded(const rehearsal& of);
// One sentence: what would happen to an upgrade.
std::string verdict_of(const rehearsal& of);
// The longest migrations first, then the locks.
std::vector<std::string> details_of(const rehearsal& of);

}  // namespace difyd::supervisor
