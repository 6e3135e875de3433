#include "context.hpp"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <nlohmann/json.hpp>
#include <regex>

#include "difyd/base/text.hpp"
#include "difyd/config/load.hpp"
#include "difyd/control/wire.hpp"

namespace difyd::cli {

control::client daemon_of(const options& given) {
  if (!given.socket.empty()) return control::client(given.socket);
  if (const char* environment = std::getenv("DIFYD_SOCKET"); environment && *environment)
    return control::client(environment);
  // A configuration with mistakes still says where the socket is more often than not.
  auto world = config::this_process();
  const auto outcome = config::load_all(given.config, world);
  if (!outcome.values.listen.control.empty()) return control::client(outcome.values.listen.control);
  const std::string usual(control::default_socket);
  if (outcome.good() || outcome.errors.front().code != "config-denied") return control::client(usual);
  const auto& denied = outcome.errors.front();
  return control::client(
      usual, Error{"daemon-not-running",
                   denied.message + ", so that the daemon's socket is not known; none answers on " + usual,
                   denied.remedy});
}

namespace {

bool json_wanted = false;

// Errors of configurations and compose files begin "cannot use /etc/difyd/difyd.yaml:4:3: ".
void add_place(nlohmann::ordered_json& to, const Error& error) {
  static const std::regex place("^cannot (?:load|use|read) (.*?/.+?)(?::([0-9]+)(?::([0-9]+))?)?: ");
  std::smatch found;
  if (!error.code.starts_with("config-") && !error.code.starts_with("compose-")) return;
  if (!std::regex_search(error.message, found, place)) return;
  to["file"] = found[1].str();
  if (found[2].matched) to["line"] = std::stoi(found[2].str());
  if (found[3].matched) to["column"] = std::stoi(found[3].str());
}

}  // namespace

void answer_in_json(bool wanted) { json_wanted = wanted; }
bool answers_in_json() { return json_wanted; }

std::string error_json(const Error& error) {
  nlohmann::ordered_json inner{{"code", error.code}, {"message", error.message}, {"remedy", error.remedy}};
  add_place(inner, error);
  const nlohmann::ordered_json whole{{"error", std::move(inner)}};
  return whole.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

int report(const Error& error, int code) {
  if (json_wanted) {
    std::fprintf(stdout, "%s\n", error_json(error).c_str());
    std::fflush(stdout);
    return code;
  }
  std::fprintf(stderr, "difyd: %s\n", error.message.c_str());
  for (const auto& line : split(error.remedy, '\n'))
    if (!line.empty()) std::fprintf(stderr, "       %s\n", line.c_str());
  return code;
}

int exit_code_of(const Error& error) {
  if (control::bad_input(error.code) || error.code.starts_with("config-")) return usage_error;
  if (error.code.starts_with("daemon-")) return no_daemon;
  return error.code == "bad-answer" ? failed : refused;
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
      report({"internal", error.what(), {}});
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
