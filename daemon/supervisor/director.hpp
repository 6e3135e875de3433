// The one owner of the right to change the engine: one operation at a time.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "difyd/base/task.hpp"
#include "difyd/base/task_group.hpp"

namespace difyd::supervisor {

enum class priority { converge, heal, command, upgrade };

struct operation {
  std::string id;
  std::string kind;  // converge, up, down, restart, upgrade
  priority urgency = priority::converge;
  std::function<task<void>()> work;  // reports its own result
};

// Requests queue by urgency, then by age. A command or an upgrade ends a converge or heal
// that runs (it is proposed again afterwards); commands and upgrades are never interrupted
// by other requests. A converge that waits already makes a second one superfluous.
class director {
 public:
  using failure_handler = task_group::failure_handler;

  director(asio::any_io_executor executor, failure_handler on_failure);

  void submit(operation request);
  // What runs turns out to be more urgent than it was proposed: a start that resumes an upgrade.
  void raise(priority to);
  // What runs has its result, and only clears up: requests that it would refuse may queue behind it.
  void lower(priority to);
  // The operation that runs, if any.
  const operation* running() const { return running_ ? &*running_ : nullptr; }
  bool busy_with(priority at_least) const;
  // Whether one of these waits for what runs; none does once the daemon ends.
  bool awaited_by(priority at_least) const;

  task<void> run();
  // Ends what runs and waits for it; nothing new begins.
  task<void> stop();

 private:
  std::optional<operation> take();

  asio::any_io_executor executor_;
  failure_handler on_failure_;
  asio::steady_timer submitted_;
  std::list<operation> queue_;
  std::optional<operation> running_;
  std::unique_ptr<task_group> active_;
  bool stopping_ = false;
};

}  // namespace difyd::supervisor
