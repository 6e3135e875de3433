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
  bool irreversible = false;  // see mark::irreversible; may be true with ok and without
  std::string detail;
  Error error;  // where not ok
};

// Every step may be repeated after an interruption, at any point in it.
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
  virtual task<step_result> put_back() = 0;

  // Asked before each step.
  virtual bool abort_requested() const { return false; }
};

}  // namespace difyd::upgrade
