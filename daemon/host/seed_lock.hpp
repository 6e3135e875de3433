// The lock of a storage that several machines may lay out: the folder .difyd/seed.lock with its owner in it,
// which gets its name by a rename, atomic on every file system (NFS has no reliable flock, platform
// facts 4.7).
#pragma once

#include <optional>
#include <string>

#include "beneath.hpp"

namespace difyd::host {

struct lock_attempt;

class seed_lock {
 public:
  // A lock of `machine` itself is taken over: one helper at a time works here, so its owner has ended. So is
  // one whose owner's text is `abandoned`: who has seen it not change for long enough says so, by a clock of
  // his own.
  static Result<lock_attempt> take(const file_handle& root, const std::string& machine,
                                   const std::string& abandoned);

  seed_lock(seed_lock&&) noexcept = default;
  seed_lock(const seed_lock&) = delete;
  seed_lock& operator=(const seed_lock&) = delete;
  seed_lock& operator=(seed_lock&&) = delete;

  const std::string& token() const { return token_; }
  Result<> beat();  // changes the owner's text: work goes on
  Result<> release();

 private:
  seed_lock(const file_handle& root, std::string machine, std::string token);
  std::string text() const;

  const file_handle* root_;
  std::string machine_;
  std::string token_;
  long beats_ = 0;
};

struct lock_attempt {
  std::optional<seed_lock> held;
  std::string owner;  // not held: who has it, and may be at work
};

}  // namespace difyd::host
