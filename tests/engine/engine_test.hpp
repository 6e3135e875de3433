// A real engine for one test case: what is made carries the fixture's label and is removed at the end.
#pragma once

#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "difyd/engine/client.hpp"
#include "run_task.hpp"

namespace difyd::engine_test {

using namespace std::chrono_literals;
using nlohmann::json;

inline constexpr const char* busybox = "/bin/busybox";  // statically linked: Debian's busybox-static

// A tar archive in memory (POSIX ustar).
class tar_archive {
 public:
  void folder(const std::string& path) { entry(path + "/", '5', 0755, {}, {}); }
  void file(const std::string& path, const std::string& bytes, int mode = 0644) {
    entry(path, '0', mode, bytes, {});
  }
  void link(const std::string& path, const std::string& target) { entry(path, '2', 0777, {}, target); }
  std::string bytes() const { return bytes_ + std::string(1024, '\0'); }

 private:
  void entry(const std::string& path, char type, int mode, const std::string& content,
             const std::string& target);
  std::string bytes_;
};

struct machine {
  machine();
  ~machine();
  machine(const machine&) = delete;
  machine& operator=(const machine&) = delete;

  template <class T>
  T operator()(task<T> work) {
    return run_task(loop, std::move(work));
  }

  // A container of the test's image that runs `script`; `more` is merged into the body.
  std::string create(const std::string& script, json more = json::object(), const std::string& name = {});
  // Output and errors of a container, read to the end.
  std::pair<std::string, std::string> log(const std::string& id, engine::log_options options = {});
  std::pair<std::string, std::string> read(engine::attached_stream& stream);
  int run_to_end(const std::string& id);
  json labels() const { return {{"difyd.test", id}}; }

  const std::string id;     // of this test, in every name and label
  const std::string image;  // made once per run
  asio::io_context loop;
  engine::client docker;
};

// Waits for a condition of the engine, for at most twenty seconds.
template <class Condition>
bool eventually(machine& on, Condition condition) {
  const auto limit = std::chrono::steady_clock::now() + 20s;
  while (std::chrono::steady_clock::now() < limit) {
    if (condition()) return true;
    on([]() -> task<int> {
      co_await pause(20ms);
      co_return 0;
    }());
  }
  return condition();
}

}  // namespace difyd::engine_test
