#include "errors.hpp"

#include <array>
#include <regex>

#include "difyd/base/text.hpp"
#include "json.hpp"

namespace difyd::engine {
namespace {

constexpr std::size_t longest_message = 2000;

std::string code_of(int status) {
  switch (status) {
    case 400:
      return "engine-bad-request";
    case 401:
    case 403:
      return "engine-forbidden";
    case 404:
      return "engine-not-found";
    case 409:
      return "engine-conflict";
    default:
      return "engine-error";
  }
}

struct advice {
  std::string_view part;  // of the engine's message
  std::string_view remedy;
};

constexpr std::array advices{
    advice{"is already in use by container",
           "Remove or rename the container that has the name (docker ps -a)"},
    advice{"No such image", "Pull the image first (docker pull)"},
    advice{"no space left on device", "Free space where Docker keeps its data (docker system df)"},
    advice{"has active endpoints",
           "Disconnect or remove the containers that use it (docker network inspect)"},
    advice{"volume is in use", "Remove the containers that use it (docker ps -a --filter volume=NAME)"},
    advice{"bind source path does not exist", "Create the path, or correct it in the compose file"},
    advice{"invalid mount config", "Check the path of the mount in the compose file"},
    advice{"non-overlapping IPv4 address pool",
           "Remove unused networks (docker network prune) or set default-address-pools"},
    advice{"Pool overlaps with other one", "Choose another subnet: a network of this machine has this one"},
    advice{"executable file not found", "Check the command of the service against what the image contains"},
};

constexpr std::array pull_advices{
    advice{"toomanyrequests", "The registry's rate limit is reached: log in (docker login) or try later"},
    advice{"no such host", "Check this machine's name resolution and that the registry's name is right"},
    advice{"connection refused", "Check that the registry is up and reachable from this machine"},
    advice{"i/o timeout", "Check this machine's way to the registry (firewall, proxy, NAT)"},
    advice{"Client.Timeout", "Check this machine's way to the registry (firewall, proxy, NAT)"},
    advice{"x509", "Check the registry's certificate, and this machine's clock"},
    advice{"no space left on device", "Free space where Docker keeps its data (docker system df)"},
    advice{"no matching manifest", "The image is not made for this machine's architecture"},
    advice{"manifest unknown", "Check the image's name and tag"},
    advice{"pull access denied", "Check the image's name, and log in to its registry (docker login)"},
    advice{"unauthorized", "Log in to the registry (docker login)"},
    advice{"denied", "Log in to the registry (docker login)"},
    advice{"not found", "Check the image's name and tag"},
};

template <std::size_t count>
std::string find_advice(const std::array<advice, count>& all, std::string_view message) {
  for (const auto& each : all)
    if (message.find(each.part) != std::string_view::npos) return std::string(each.remedy);
  return {};
}

// The port in the ways in which engines say that it is taken; empty if the message is another.
std::string taken_port(const std::string& message) {
  static const std::regex ways[] = {
      // another container has it
      std::regex(R"(Bind for \S*:(\d+) failed: port is already allocated)"),
      // another process: "listen tcp4 0.0.0.0:80: bind: address already in use" up to Engine 27
      std::regex(R"(:(\d+): bind: address already in use)"),
      // "failed to bind host port for 127.0.0.1:80:172.18.0.2:80/tcp: address already in use" from 28 on
      std::regex(R"(bind host port (?:for )?(?:\[[^\]]*\]|[\d.]*):(\d+)[:/]\S*: address already in use)"),
  };
  std::smatch found;
  for (const auto& each : ways)
    if (std::regex_search(message, found, each)) return found[1];
  return {};
}

}  // namespace

std::string message_of(int status, std::string_view body) {
  const json value = json::parse(body, nullptr, false);
  std::string message = text(value, "message");
  if (message.empty() && !body.starts_with('{')) message = trim(body);
  if (message.size() > longest_message) message = message.substr(0, longest_message) + "...";
  return message.empty() ? "status " + std::to_string(status) : message;
}

std::string remedy_for(std::string_view message) {
  const std::string port = taken_port(std::string(message));
  if (port.empty()) return find_advice(advices, message);
  return "Port " + port + " is taken: see what uses it (ss -ltnp 'sport = :" + port +
         "'), or publish another port";
}

Error refusal(const std::string& what, int status, std::string_view body) {
  const std::string message = message_of(status, body);
  return {code_of(status), "cannot " + what + ": " + message, remedy_for(message)};
}

Error no_answer(const std::string& what, const Error& cause, duration limit) {
  const std::string message = "cannot " + what + ": " + cause.message;
  if (cause.code == "deadline-exceeded")
    return {cause.code, "cannot " + what + ": no answer from the Docker Engine within " + to_text(limit), {}};
  if (cause.code == "permission-denied")
    return {"engine-permission-denied", message,
            "Add the user to the group docker (and log in again), or use sudo"};
  if (cause.code == "socket-missing" || cause.code == "connection-refused")
    return {"engine-not-running", message, "Start the Docker Engine: systemctl start docker"};
  if (cause.code == "malformed-answer" || cause.code == "answer-too-large")
    return {"engine-malformed-answer", message, {}};
  return {"engine-unreachable", message, {}};
}

Error pull_error(const std::string& image, std::string_view cause) {
  return {"image-pull-failed", "cannot pull the image " + image + ": " + std::string(cause),
          find_advice(pull_advices, cause)};
}

}  // namespace difyd::engine
