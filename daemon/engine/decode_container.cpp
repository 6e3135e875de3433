#include <charconv>

#include "decode.hpp"

namespace difyd::engine {
namespace {

std::uint16_t port_number(std::string_view digits) {
  std::uint16_t port = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return port;
}

// Of the list: [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}]
std::vector<port_binding> listed_ports(const json& value) {
  std::vector<port_binding> result;
  const json& ports = member(value, "Ports");
  if (!ports.is_array()) return result;
  for (const auto& each : ports)
    result.push_back({static_cast<std::uint16_t>(number(each, "PrivatePort")), text(each, "Type"),
                      text(each, "IP"), static_cast<std::uint16_t>(number(each, "PublicPort"))});
  return result;
}

// Of an inspect: {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/tcp": null}
std::vector<port_binding> inspected_ports(const json& ports) {
  std::vector<port_binding> result;
  if (!ports.is_object()) return result;
  for (const auto& [key, bindings] : ports.items()) {
    const auto slash = key.find('/');
    const port_binding exposed{port_number(key), slash == key.npos ? "tcp" : key.substr(slash + 1), {}, 0};
    if (!bindings.is_array() || bindings.empty()) result.push_back(exposed);
    if (!bindings.is_array()) continue;
    for (const auto& each : bindings) {
      port_binding bound = exposed;
      bound.host_ip = text(each, "HostIp");
      bound.host_port = port_number(text(each, "HostPort"));
      result.push_back(std::move(bound));
    }
  }
  return result;
}

std::optional<health_state> decode_health(const json& value) {
  if (!value.is_object()) return std::nullopt;
  health_state result{text(value, "Status"), static_cast<int>(number(value, "FailingStreak")), {}, {}};
  const json& log = member(value, "Log");
  if (log.is_array() && !log.empty()) {
    result.last_output = text(log.back(), "Output");
    result.last_exit_code = static_cast<int>(number(log.back(), "ExitCode"));
  }
  return result;
}

container_state decode_state(const json& value) {
  container_state result;
  result.status = text(value, "Status");
  result.running = flag(value, "Running");
  result.paused = flag(value, "Paused");
  result.restarting = flag(value, "Restarting");
  result.oom_killed = flag(value, "OOMKilled");
  result.dead = flag(value, "Dead");
  result.exit_code = static_cast<int>(number(value, "ExitCode"));
  result.pid = number(value, "Pid");
  result.error = text(value, "Error");
  result.started_at = moment(value, "StartedAt");
  result.finished_at = moment(value, "FinishedAt");
  result.health = decode_health(member(value, "Health"));
  return result;
}

std::vector<mount> decode_mounts(const json& value) {
  std::vector<mount> result;
  if (!value.is_array()) return result;
  for (const auto& each : value)
    result.push_back({text(each, "Type"), text(each, "Name"), text(each, "Source"), text(each, "Destination"),
                      flag(each, "RW")});
  return result;
}

std::map<std::string, network_attachment> decode_attachments(const json& value) {
  std::map<std::string, network_attachment> result;
  if (!value.is_object()) return result;
  for (const auto& [name, each] : value.items())
    result.emplace(name, network_attachment{text(each, "NetworkID"), text(each, "IPAddress"),
                                            text(each, "Gateway"), texts(each, "Aliases")});
  return result;
}

void decode_config(const json& config, container& into) {
  into.image = text(config, "Image");
  into.labels = map_of(config, "Labels");
  into.env = texts(config, "Env");
  into.entrypoint = texts(config, "Entrypoint");
  into.cmd = texts(config, "Cmd");
  into.user = text(config, "User");
  into.hostname = text(config, "Hostname");
  into.tty = flag(config, "Tty");
  into.open_stdin = flag(config, "OpenStdin");
  into.stop_signal = text(config, "StopSignal");
  if (member(config, "StopTimeout").is_number())
    into.stop_timeout = static_cast<int>(number(config, "StopTimeout"));
}

void decode_host_config(const json& config, container& into) {
  const json& policy = member(config, "RestartPolicy");
  into.restart = {text(policy, "Name"), static_cast<int>(number(policy, "MaximumRetryCount"))};
  into.auto_remove = flag(config, "AutoRemove");
  into.network_mode = text(config, "NetworkMode");
}

}  // namespace

const std::string& container_summary::name() const {
  static const std::string none;
  return names.empty() ? none : names.front();
}

const std::string* container::label(const std::string& key) const {
  const auto found = labels.find(key);
  return found == labels.end() ? nullptr : &found->second;
}

Result<container_summary> decode_summary(const json& value) {
  container_summary result;
  result.id = text(value, "Id");
  if (result.id.empty()) return std::unexpected(malformed("list containers", "a container has no id"));
  for (auto& name : texts(value, "Names")) result.names.push_back(without_slash(std::move(name)));
  result.image = text(value, "Image");
  result.image_id = text(value, "ImageID");
  result.state = text(value, "State");
  result.status = text(value, "Status");
  result.command = text(value, "Command");
  result.labels = map_of(value, "Labels");
  result.created = number(value, "Created");
  result.ports = listed_ports(value);
  result.mounts = decode_mounts(member(value, "Mounts"));
  result.networks = decode_attachments(member(member(value, "NetworkSettings"), "Networks"));
  return result;
}

Result<container> decode_container(json value) {
  container result;
  result.id = text(value, "Id");
  if (result.id.empty()) return std::unexpected(malformed("inspect a container", "it has no id"));
  result.name = without_slash(text(value, "Name"));
  result.created = text(value, "Created");
  result.image_id = text(value, "Image");
  result.restart_count = static_cast<int>(number(value, "RestartCount"));
  result.state = decode_state(member(value, "State"));
  decode_config(member(value, "Config"), result);
  decode_host_config(member(value, "HostConfig"), result);
  result.mounts = decode_mounts(member(value, "Mounts"));
  result.networks = decode_attachments(member(member(value, "NetworkSettings"), "Networks"));
  result.ports = inspected_ports(member(member(value, "NetworkSettings"), "Ports"));
  result.raw = std::make_shared<const json>(std::move(value));
  return result;
}

Result<exit_status> decode_exit(std::string_view body, const std::string& what) {
  auto value = parse_json(body, what);
  if (!value) return std::unexpected(std::move(value.error()));
  if (!member(*value, "StatusCode").is_number())
    return std::unexpected(malformed(what, "it has no StatusCode"));
  return exit_status{static_cast<int>(number(*value, "StatusCode")),
                     text(member(*value, "Error"), "Message")};
}

}  // namespace difyd::engine
