// Follows the published files of one folder: wakes by inotify, looks once a second in any case.
#pragma once

#include <memory>
#include <string>

#include "difyd/base/cell.hpp"
#include "difyd/front/answers.hpp"

namespace difyd::front {

// What requests are answered from, ready to be sent; replaced as a whole when a file changed, and once
// a second, as it tells ages.
struct served {
  answers ready = make_answers(std::nullopt);
  std::string metrics = make_metrics(std::nullopt, {}, {});
  std::string status;       // JSON, empty where there is none
  std::string status_page;  // HTML
  std::optional<pages> maintenance;
  bool leaving = false;  // the process ends: let go of every port
};

class verdict_file {
 public:
  verdict_file(asio::any_io_executor executor, std::string verdict_path);
  verdict_file(const verdict_file&) = delete;
  verdict_file& operator=(const verdict_file&) = delete;
  ~verdict_file();

  cell<served>& current();
  void leave();
  // Looks now, and tells the ages of now. A file that vanished or cannot be read leaves what was served.
  void reload();
  // Until cancelled; `each_round` is called about once a second (the watchdog).
  task<void> follow(void (*each_round)());

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace difyd::front
