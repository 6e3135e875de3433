#include "difyd/base/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <thread>

#include "difyd/base/task_group.hpp"

namespace difyd {
namespace {

using pipe_end = asio::posix::stream_descriptor;

struct pipe_pair {
  int read = -1;
  int write = -1;
};

bool open_pipe(pipe_pair& pair) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  pair = {ends[0], ends[1]};
  return true;
}

void close_pipe(const pipe_pair& pair) {
  if (pair.read >= 0) ::close(pair.read);
  if (pair.write >= 0) ::close(pair.write);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// Own process group, default signals, no descriptor above 2.
int spawn(process_spec& spec, const pipe_pair& in, const pipe_pair& out, const pipe_pair& err, pid_t& child) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write, 1);
  posix_spawn_file_actions_adddup2(&actions, err.write, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigaddset(&signals, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  auto argv = pointers(spec.argv);
  auto environment = pointers(spec.environment);
  const int cause = posix_spawn(&child, argv[0], &actions, &attributes, argv.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return cause;
}

task<Result<>> read_all(pipe_end end, std::string& kept, std::size_t limit,
                        std::function<void(std::string_view)> seen) {
  std::array<char, 16384> buffer;
  for (;;) {
    boost::system::error_code error;
    const std::size_t count =
        co_await end.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return Result<>{};
    const std::string_view bytes(buffer.data(), count);
    if (seen) seen(bytes);
    kept.append(bytes.substr(0, limit - std::min(limit, kept.size())));
  }
}

task<Result<>> write_input(pipe_end end, std::string input) {
  boost::system::error_code error;
  co_await asio::async_write(end, asio::buffer(input), asio::redirect_error(asio::use_awaitable, error));
  co_return Result<>{};  // a child that does not read its input is its own business
}

task<Result<>> wait_for_exit(pipe_end& handle) {
  co_await handle.async_wait(pipe_end::wait_read, asio::use_awaitable);
  co_return Result<>{};
}

// A killed child in state D ends some day; nobody waits for it on the loop.
void reap_later(pid_t child) {
  std::thread([child] { ::waitpid(child, nullptr, 0); }).detach();
}

// The child and its pidfd: killed with its group and reaped however the owner ends.
class running_child {
 public:
  explicit running_child(pid_t pid) : pid_(pid) {}
  running_child(const running_child&) = delete;
  running_child& operator=(const running_child&) = delete;
  ~running_child() {
    if (reaped_) return;
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    if (::waitpid(pid_, nullptr, WNOHANG) == 0) reap_later(pid_);
  }
  int reap() {
    int status = 0;
    reaped_ = true;
    if (::waitpid(pid_, &status, 0) < 0) return 255;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
  bool reaped_ = false;
};

struct collected {
  process_result result;
  task<Result<process_result>> follow(pipe_end in, pipe_end out, pipe_end err, pipe_end handle,
                                      running_child& child, process_spec spec) {
    std::vector<task<Result<>>> all;
    all.push_back(write_input(std::move(in), std::move(spec.input)));
    all.push_back(read_all(std::move(out), result.output, spec.max_output, spec.on_output));
    all.push_back(read_all(std::move(err), result.errors, spec.max_output, {}));
    all.push_back(wait_for_exit(handle));
    co_await when_all(std::move(all));
    result.exit_code = child.reap();
    co_return std::move(result);
  }
};

}  // namespace

task<Result<process_result>> run_process(process_spec spec) {
  // A child that ends without having read its input must not end us. The child gets the default back.
  [[maybe_unused]] static const auto ignored = ::signal(SIGPIPE, SIG_IGN);
  const auto executor = co_await asio::this_coro::executor;
  const std::string program = spec.argv.empty() ? std::string("nothing") : spec.argv[0];
  pipe_pair in, out, err;
  pid_t child_pid = -1;
  int cause = EMFILE;
  if (open_pipe(in) && open_pipe(out) && open_pipe(err)) cause = spawn(spec, in, out, err, child_pid);
  if (cause != 0) {
    for (const auto& pair : {in, out, err}) close_pipe(pair);
    co_return fail("process-not-started", "cannot run " + program + ": " + std::strerror(cause));
  }
  ::close(in.read);
  ::close(out.write);
  ::close(err.write);
  running_child child(child_pid);
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, child_pid, 0));
  pipe_end to_child(executor, in.write), from_child(executor, out.read), errors(executor, err.read);
  if (handle < 0)
    co_return fail("process-not-started", "cannot watch " + program + ": " + std::strerror(errno));
  const duration limit = spec.limit;
  collected everything;
  co_return co_await with_deadline(
      everything.follow(std::move(to_child), std::move(from_child), std::move(errors),
                        pipe_end(executor, handle), child, std::move(spec)),
      limit, "run " + program);
}

}  // namespace difyd
