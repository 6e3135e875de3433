// What the runner can do to the world. The supervisor implements it with the real engine,
// database and share; tests implement it with a model of them.
#pragma once

#include <string>

#include "difyd/base/task.hpp"
#include "difyd/upgrade/step.hpp"

namespace difyd::upgrade {

// How a step went. `detail` is one line for people.
struct step_result {
  bool ok = false;
  // See mark::irreversible; may be true with ok and without. Compared with what the old version
  // left, never with what an interrupted entry of the same step may have moved already.
  bool irreversible = false;
  std::string detail;
  Error error;  // where not ok
};

// Every step may be repeated after an interruption, at any point in it. An interruption is the end
// of the process or, where abort_interrupts(), a cancellation.
class effects {
 public:
  virtual ~effects() = default;

  // Makes a journal entry durable. A step whose entry is not durable does not begin.
  virtual task<Result<>> record(mark entry, std::string detail) = 0;

  virtual task<step_result> admit() = 0;
  virtual task<step_result> prepare() = 0;
  virtual task<step_result> drain() = 0;
  virtual task<step_result> stop() = 0;
  virtual task<step_result> backup() = 0;
  virtual task<step_result> migrate() = 0;
  virtual task<step_result> start() = 0;
  virtual task<step_result> verify() = 0;
  virtual task<step_result> commit() = 0;
  // Starts the old version, after proof that everything is as that version left it: revision,
  // catalog, data services. What is proven otherwise fails irreversibly, what cannot be read fails.
  virtual task<step_result> put_back() = 0;

  // Awaited before the begin entry of every step after prepare: returns when what the step stands on
  // is there (engine, share, database, lease), however long that takes, so that an outage costs no
  // attempt; also when an abort is requested. An error ends the upgrade here without an entry: another
  // machine has the lease, and the journal with it.
  virtual task<Result<>> ready(step) { co_return Result<>{}; }

  // Awaited before a step is entered again because one failed, which has now failed so often. What was in
  // the way, a port or a slow disk, needs time to go.
  virtual task<void> rest(int failures) { co_return; }

  // Of a held upgrade that this one replaces: it had passed the point of no return.
  virtual bool irreversible_before() const { return false; }

  virtual bool abort_requested() const { return false; }
  // Returns when an abort is requested.
  virtual task<void> abort();
};

}  // namespace difyd::upgrade
