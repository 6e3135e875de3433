// The stages of a restore on the real engine, database and share. Each may be repeated after an
// interruption at any point in it.
#pragma once

#include <string>
#include <vector>

#include "client_job.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// Where keys and environment of before the restore are kept.
std::string before_folder(const world& w, const std::string& id);

class restore_work {
 public:
  restore_work(world& w, ledger::restore of, std::string operation);

  // Each dump is read into a database of its own; what runs goes on.
  task<Result<>> load();
  // Everything stops, and all of them take the places of the others, or none. Gives why none did, empty
  // where they did; an error where that cannot be known.
  task<Result<std::string>> swap();
  // Keys, environment, ledger; the old version comes up, proven by its revision.
  task<Result<>> finish();

  // The names of the databases of before that are still there.
  task<std::vector<std::string>> set_aside();

 private:
  task<Result<release_ptr>> release();
  task<Result<>> reach(release_ptr old);
  task<Result<>> silence(release_ptr old);
  task<Result<>> run(release_ptr old, client_job job);
  task<Result<>> load_dumps(release_ptr old);
  task<Result<>> put_keys_back(release_ptr old);
  task<Result<>> put_environment_back();
  task<Result<>> revision_is_right(const std::string& database);
  task<Result<>> settle(release_ptr old);
  void say(std::string stage, std::string state);
  void guard(const release_ptr& old, bool started);

  world& w_;
  const ledger::restore of_;
  const std::string operation_;
};

}  // namespace difyd::supervisor
