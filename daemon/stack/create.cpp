#include "difyd/stack/create.hpp"

#include "create_parts.hpp"
#include "difyd/base/text.hpp"

namespace difyd::stack {
namespace {

constexpr std::string_view service_prefix = "service:";

// "service:x" -> "container:<id of x>"; anything else stays.
Result<> replace_namespace(std::string& value, const create_context& c) {
  if (!value.starts_with(service_prefix)) return {};
  const auto found = c.container_ids.find(value.substr(service_prefix.size()));
  if (found == c.container_ids.end())
    return fail("missing-dependency", "cannot create a container of " + c.service +
                                          ": it shares a namespace with " +
                                          value.substr(service_prefix.size()) + ", which has no container");
  value = "container:" + found->second;
  return {};
}

Result<> replace_volumes_from(compose::text_list& list, const create_context& c) {
  for (auto& entry : list) {
    if (entry.starts_with("container:")) {
      entry = entry.substr(10);
      continue;
    }
    const auto service = entry.substr(0, entry.find(':'));
    const auto found = c.container_ids.find(service);
    if (found == c.container_ids.end())
      return fail("missing-dependency", "cannot create a container of " + c.service +
                                            ": it takes volumes from " + service +
                                            ", which has no container");
    entry = found->second;
  }
  return {};
}

void drop_inactive_dependencies(const create_context& c, compose::service& s) {
  std::erase_if(s.depends_on, [&](const auto& on) {
    return !c.project->services.contains(on.first) || (c.alone && !c.alone->contains(on.first));
  });
}

void apply_one_off(compose::service& s, const one_off& wishes) {
  s.container_name.clear();
  s.ports.clear();
  s.restart = "no";
  if (s.deploy) s.deploy->restart_policy.reset();
  if (wishes.entrypoint) {
    s.entrypoint = wishes.entrypoint;
    if (!wishes.command) s.command.reset();  // the service's command was meant for its own entrypoint
  }
  if (wishes.command) s.command = wishes.command;
  for (const auto& [key, value] : wishes.environment) s.environment.insert_or_assign(key, value);
  for (const auto& [key, value] : wishes.labels) s.labels.insert_or_assign(key, value);
  if (!wishes.network.empty()) s.networks = {{wishes.network, std::nullopt}};
}

std::string text_of(const api_version& api) {
  return std::to_string(api.major) + "." + std::to_string(api.minor);
}

Result<> check_engine_can(const create_context& c, const compose::service& s) {
  const auto too_old = [&](const std::string& key, const std::string& needs) {
    return fail("unsupported-by-engine",
                "cannot create a container of " + c.service + ": " + key + " needs Docker Engine " + needs +
                    ", the engine speaks " + text_of(c.api),
                "Remove " + key + " or upgrade the engine");
  };
  if (s.healthcheck && s.healthcheck->start_interval && c.api < api_version{1, 44})
    return too_old("healthcheck.start_interval", "25 (API 1.44)");
  for (const auto& [key, endpoint] : s.networks) {
    if (!endpoint || !s.network_mode.empty()) continue;
    if (!endpoint->mac_address.empty() && c.api < api_version{1, 44})
      return too_old("networks." + key + ".mac_address", "25 (API 1.44)");
    if (!endpoint->interface_name.empty() && c.api < api_version{1, 49})
      return too_old("networks." + key + ".interface_name", "28.1 (API 1.49)");
  }
  for (const auto& mount : s.volumes)
    if (mount.type == "image" && c.api < api_version{1, 48})
      return too_old("a volume of type image", "28 (API 1.48)");
  return {};
}

}  // namespace

std::string final_name_of(const create_context& c) {
  const auto& s = service_of(c);
  if (!c.one_off) return container_name(*c.project, s, c.number);
  return c.one_off->name.empty() ? one_off_name(*c.project, s.name, c.one_off->slug) : c.one_off->name;
}

std::string seccomp_profile_of(std::string_view option) {
  constexpr std::string_view name = "seccomp";
  if (!option.starts_with(name) || option.size() <= name.size() + 1) return {};
  if (const char sign = option[name.size()]; sign != '=' && sign != ':') return {};
  const auto value = option.substr(name.size() + 1);
  const bool file = value != "unconfined" && value != "builtin" && !value.starts_with('{');
  return file ? std::string(value) : std::string();
}

std::string compact_json(std::string_view text) {
  std::string out;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (!quoted && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) continue;
    out += c;
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\' && at + 1 < text.size()) out += text[++at];
  }
  return out;
}

Result<compose::service> resolved_service(const create_context& c) {
  compose::service s = service_of(c);
  drop_inactive_dependencies(c, s);
  for (auto* space : {&s.network_mode, &s.ipc, &s.pid})
    if (auto done = replace_namespace(*space, c); !done) return std::unexpected(done.error());
  if (auto done = replace_volumes_from(s.volumes_from, c); !done) return std::unexpected(done.error());
  if (c.one_off) apply_one_off(s, *c.one_off);
  return s;
}

std::string service_hash(const compose::project& p, const compose::service& s, compose::hash_epoch epoch,
                         const compose::text_map& container_ids) {
  create_context c;
  c.project = &p;
  c.service = s.name;
  c.container_ids = container_ids;
  compose::service copy = s;
  drop_inactive_dependencies(c, copy);
  // An id that is not known yet leaves "service:x": equal to nothing, so the container is made anew.
  for (auto* space : {&copy.network_mode, &copy.ipc, &copy.pid}) (void)replace_namespace(*space, c);
  (void)replace_volumes_from(copy.volumes_from, c);
  return compose::config_hash(copy, epoch);
}

Result<create_request> create_container_request(const create_context& c) {
  auto s = resolved_service(c);
  if (!s) return std::unexpected(s.error());
  if (auto able = check_engine_can(c, *s); !able) return std::unexpected(able.error());
  create_request request;
  request.config_hash = compose::config_hash(*s, c.dialect.epoch);
  request.name = c.replaces.empty() ? final_name_of(c) : temporary_name(c.replaces, final_name_of(c));
  request.platform = s->platform;
  request.body = config_part(c, *s);
  request.body["Labels"] = labels_part(c, *s, request.config_hash);
  auto host = host_part(c, *s);
  if (!host) return std::unexpected(host.error());
  auto network = networks_of(c, *s);
  (*host)["NetworkMode"] = network.mode;
  request.body["HostConfig"] = std::move(*host);
  if (!network.networking.empty())
    request.body["NetworkingConfig"] = {{"EndpointsConfig", std::move(network.networking)}};
  request.connects = std::move(network.connects);
  return request;
}

}  // namespace difyd::stack
