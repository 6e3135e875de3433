#include "context.hpp"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "difyd/config/load.hpp"
#include "difyd/control/wire.hpp"

namespace difyd::cli {

std::string socket_path(const options& given) {
  if (!given.socket.empty()) return given.socket;
  if (const char* environment = std::getenv("DIFYD_SOCKET"); environment && *environment) return environment;
  // A configuration with mistakes still says where the socket is more often than not.
  auto world = config::this_process();
  const auto outcome = config::load_all(given.config, world);
  if (!outcome.values.listen.control.empty()) return outcome.values.listen.control;
  return std::string(control::default_socket);
}

int report(const Error& error, int code) {
  std::fprintf(stderr, "difyd: %s\n", error.message.c_str());
  if (!error.remedy.empty()) std::fprintf(stderr, "       %s\n", error.remedy.c_str());
  return code;
}

int exit_code_of(const Error& error) {
  if (error.code == "daemon-not-running" || error.code == "daemon-denied" || error.code == "daemon-gone")
    return no_daemon;
  return failed;
}

int run_to_end(task<int> work) {
  asio::io_context loop(1);
  int code = failed;
  asio::co_spawn(loop, std::move(work), [&](const std::exception_ptr& failure, int result) {
    code = result;
    if (!failure) return;
    code = failed;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "difyd: %s\n", error.what());
    }
  });
  loop.run();
  return code;
}

std::string program_path(const std::string& name) {
  char self[4096];
  const ssize_t length = ::readlink("/proc/self/exe", self, sizeof self - 1);
  if (length > 0) {
    std::string beside(self, static_cast<std::size_t>(length));
    beside.replace(beside.rfind('/') + 1, std::string::npos, name);
    if (::access(beside.c_str(), X_OK) == 0) return beside;
  }
  return std::string(DIFYD_LIBEXECDIR) + "/" + name;
}

}  // namespace difyd::cli
