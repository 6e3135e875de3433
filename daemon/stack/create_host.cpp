// The HostConfig half of a create request, mounts and networks left out.
#include "create_parts.hpp"
#include "difyd/base/text.hpp"

namespace difyd::stack {
namespace {

json port_bindings_of(const compose::service& s) {
  json bindings = json::object();
  for (const auto& port : s.ports)
    bindings[std::to_string(port.target) + "/" + (port.protocol.empty() ? "tcp" : port.protocol)].push_back(
        {{"HostIp", port.host_ip}, {"HostPort", port.published}});
  return bindings;
}

json restart_policy_of(const compose::service& s) {
  json policy = json::object();
  if (s.deploy && s.deploy->restart_policy) {
    const auto& wanted = *s.deploy->restart_policy;
    policy["Name"] = wanted.condition == "none"  ? "no"
                     : wanted.condition == "any" ? "always"
                                                 : wanted.condition;
    if (wanted.max_attempts) put(policy, "MaximumRetryCount", *wanted.max_attempts);
    return policy;
  }
  const auto colon = s.restart.find(':');
  const auto name = s.restart.substr(0, colon);
  put(policy, "Name", name == "none" ? std::string("no") : name == "any" ? std::string("always") : name);
  if (colon != std::string::npos) put(policy, "MaximumRetryCount", std::atoi(s.restart.c_str() + colon + 1));
  return policy;
}

json logging_of(const compose::service& s) {
  json config = json::object();
  if (!s.logging) return config;
  put(config, "Type", s.logging->driver);
  put(config, "Config", s.logging->options);
  return config;
}

json devices_of(const compose::service& s) {
  json devices = json::array();
  for (const auto& device : s.devices)
    devices.push_back({{"PathOnHost", device.source},
                       {"PathInContainer", device.target.empty() ? device.source : device.target},
                       {"CgroupPermissions", device.permissions.empty() ? "rwm" : device.permissions}});
  return devices;
}

json extra_hosts_of(const compose::service& s) {
  json hosts = json::array();
  for (const auto& [name, addresses] : s.extra_hosts)
    for (const auto& address : addresses) hosts.push_back(name + ":" + address);
  return hosts;
}

json tmpfs_of(const compose::service& s) {
  json mounts = json::object();
  for (const auto& entry : s.tmpfs) {
    const auto colon = entry.find(':');
    mounts[entry.substr(0, colon)] = colon == std::string::npos ? "" : entry.substr(colon + 1);
  }
  return mounts;
}

// Profiles of seccomp are files that docker compose reads and inlines; difyd does not.
Result<> put_security(json& host, const compose::service& s) {
  json options = json::array();
  for (auto option : s.security_opt) {
    if (option == "systempaths=unconfined" || option == "systempaths:unconfined") {
      host["MaskedPaths"] = json::array();
      host["ReadonlyPaths"] = json::array();
      continue;
    }
    if (option.starts_with("seccomp") && option.size() > 8) {
      const auto value = option.substr(8);
      if (value != "unconfined" && value != "builtin" && !value.starts_with("{"))
        return fail("unsupported",
                    "cannot create a container of " + s.name + ": seccomp profile " + value +
                        " is a file, which difyd does not read",
                    "Write the profile's JSON in place, or use unconfined");
    }
    options.push_back(std::move(option));
  }
  put(host, "SecurityOpt", options);
  return {};
}

void put_texts(json& host, const compose::service& s) {
  put(host, "CapAdd", s.cap_add);
  put(host, "CapDrop", s.cap_drop);
  put(host, "CgroupParent", s.cgroup_parent);
  put(host, "CgroupnsMode", s.cgroup);
  put(host, "Dns", s.dns);
  put(host, "DnsOptions", s.dns_opt);
  put(host, "DnsSearch", s.dns_search);
  put(host, "GroupAdd", s.group_add);
  put(host, "IpcMode", s.ipc);
  put(host, "PidMode", s.pid);
  put(host, "Runtime", s.runtime);
  put(host, "Isolation", s.isolation);
  put(host, "UTSMode", s.uts);
  put(host, "UsernsMode", s.userns_mode);
  put(host, "VolumeDriver", s.volume_driver);
  put(host, "VolumesFrom", s.volumes_from);
  put(host, "StorageOpt", s.storage_opt);
  put(host, "Sysctls", s.sysctls);
  put(host, "Annotations", s.annotations);
  put(host, "Privileged", s.privileged);
  put(host, "ReadonlyRootfs", s.read_only);
  put(host, "OomScoreAdj", s.oom_score_adj);
  put(host, "ShmSize", s.shm_size);
  if (s.init) host["Init"] = *s.init;
}

}  // namespace

Result<json> host_part(const create_context& c, const compose::service& s) {
  json host = json::object();
  put_texts(host, s);
  put(host, "PortBindings", port_bindings_of(s));
  put(host, "RestartPolicy", restart_policy_of(s));
  put(host, "LogConfig", logging_of(s));
  put(host, "Devices", devices_of(s));
  put(host, "ExtraHosts", extra_hosts_of(s));
  put(host, "Tmpfs", tmpfs_of(s));
  put(host, "Links", links_of(c, s));
  put_resources(host, s);
  if (auto done = put_security(host, s); !done) return std::unexpected(done.error());
  if (auto done = put_mounts(host, c, s); !done) return std::unexpected(done.error());
  return host;
}

}  // namespace difyd::stack
