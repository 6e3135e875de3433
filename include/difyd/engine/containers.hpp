// Operations on containers. `id` is an id or a name. Bodies are JSON texts of the API's own shapes.
//
// Errors, here and in the other parts of the client: "engine-not-found" (404), "engine-conflict" (409),
// "engine-bad-request" (400), "engine-forbidden" (401, 403), "engine-error" (any other status),
// "engine-malformed-answer", "deadline-exceeded", and those of a connection: "engine-not-running" (no
// socket, or nobody listens), "engine-permission-denied", "engine-unreachable" (any other cause).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "difyd/base/task.hpp"
#include "difyd/engine/container.hpp"
#include "difyd/engine/stream.hpp"

namespace difyd::engine {

class transport;

inline constexpr duration default_deadline = std::chrono::seconds(60);

struct container_filter {
  bool all = true;                    // not only the running ones
  std::vector<std::string> labels;    // "key" or "key=value", all must match
  std::vector<std::string> names;     // regular expressions of the engine: "^/web$"
  std::vector<std::string> statuses;  // any may match
  std::vector<std::string> ids;
  std::vector<std::string> networks;
};

struct created_container {
  std::string id;
  std::vector<std::string> warnings;
};

enum class wait_condition { not_running, next_exit, removed };

struct log_options {
  bool follow = false;  // on a container that never started it ends at once: start first
  bool standard_output = true;
  bool standard_error = true;
  bool timestamps = false;
  std::string since;  // seconds since 1970, with fraction, or RFC 3339
  std::string until;
  std::optional<int> tail;  // lines from the end; absent: all
};

struct exec_spec {
  std::vector<std::string> command;
  std::vector<std::string> env;
  std::string user;
  std::string working_dir;
  bool privileged = false;
  bool tty = false;
  bool input = false;
};

struct exec_state {
  bool running = false;
  int exit_code = 0;
  std::int64_t pid = 0;
};

class containers_api {
 public:
  explicit containers_api(std::shared_ptr<transport> of) : transport_(std::move(of)) {}

  task<Result<std::vector<container_summary>>> list(container_filter filter = {},
                                                    duration limit = default_deadline);
  task<Result<container>> inspect(std::string id, duration limit = default_deadline);
  task<Result<created_container>> create(std::string name, std::string body, std::string platform = {},
                                         duration limit = default_deadline);
  task<Result<>> start(std::string id, duration limit = default_deadline);  // running already: success
  // Not running already: success. Without `grace` the container's own StopTimeout counts (10 s without
  // one); `limit` is beyond the grace, so pass `grace` or a longer `limit` where StopTimeout is long.
  task<Result<>> stop(std::string id, std::optional<int> grace_seconds = {},
                      duration limit = default_deadline);
  task<Result<>> restart(std::string id, std::optional<int> grace_seconds = {},
                         duration limit = default_deadline);
  task<Result<>> kill(std::string id, std::string signal = "SIGKILL", duration limit = default_deadline);
  task<Result<>> remove(std::string id, bool force = false, bool volumes = false,
                        duration limit = default_deadline);
  task<Result<>> rename(std::string id, std::string name, duration limit = default_deadline);
  task<Result<>> pause(std::string id, duration limit = default_deadline);
  task<Result<>> unpause(std::string id, duration limit = default_deadline);
  task<Result<>> update_restart_policy(std::string id, restart_policy policy,
                                       duration limit = default_deadline);

  // Returns as soon as the engine has registered the wait.
  task<Result<exit_wait>> wait(std::string id, wait_condition condition, duration limit = default_deadline);
  // `tty` as in the container's configuration; absent: asked for by an inspect.
  task<Result<log_stream>> logs(std::string id, log_options options, std::optional<bool> tty = {},
                                duration limit = default_deadline);
  task<Result<attached_stream>> attach(std::string id, bool input, bool logs = false,
                                       std::optional<bool> tty = {}, duration limit = default_deadline);

  task<Result<std::string>> create_exec(std::string id, exec_spec spec, duration limit = default_deadline);
  task<Result<attached_stream>> start_exec(std::string exec_id, bool tty = false,
                                           duration limit = default_deadline);
  task<Result<exec_state>> inspect_exec(std::string exec_id, duration limit = default_deadline);

  // A tar archive, unpacked at (or made from) a path of the container. Its owners count only where they
  // are to be kept; else root owns what is unpacked.
  task<Result<>> put_archive(std::string id, std::string path, std::string tar, bool keep_owners = false,
                             duration limit = default_deadline);
  task<Result<std::string>> get_archive(std::string id, std::string path, std::size_t max_bytes = 64u << 20,
                                        duration limit = default_deadline);

 private:
  std::shared_ptr<transport> transport_;
};

}  // namespace difyd::engine
