// The HostConfig half of a create request, mounts and networks left out.
#include <set>

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

json devices_of(const create_context& c, const compose::service& s) {
  json devices = json::array();
  for (const auto& device : s.devices)
    if (!c.dialect.device_names || !is_device_name(device))
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

// A profile of seccomp is a file, whose text the engine gets.
Result<> put_security(json& host, const create_context& c, const compose::service& s) {
  json options = json::array();
  for (auto option : s.security_opt) {
    if (option == "systempaths=unconfined") {
      host["MaskedPaths"] = json::array();
      host["ReadonlyPaths"] = json::array();
      continue;
    }
    if (const auto profile = seccomp_profile_of(option); !profile.empty()) {
      const auto read = c.seccomp_profiles.find(profile);
      if (read == c.seccomp_profiles.end())
        return fail(
            "seccomp-profile-missing",
            "cannot create a container of " + s.name + ": seccomp profile " + profile + " could not be read",
            "Put the file there, or use seccomp=unconfined");
      option = "seccomp=" + compact_json(read->second);
    }
    options.push_back(std::move(option));
  }
  put(host, "SecurityOpt", options);
  return {};
}

// Upper case with their prefix, each once, in order; ALL is no name of one.
compose::text_list normal_capabilities(const compose::text_list& names) {
  std::set<std::string> normal;
  for (auto name : names) {
    for (auto& letter : name) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    normal.insert(name == "ALL" || name.starts_with("CAP_") ? name : "CAP_" + name);
  }
  return {normal.begin(), normal.end()};
}

void put_capabilities(json& host, const create_context& c, const compose::service& s) {
  const bool as_written = !c.dialect.normal_capabilities;
  put(host, "CapAdd", as_written ? s.cap_add : normal_capabilities(s.cap_add));
  put(host, "CapDrop", as_written ? s.cap_drop : normal_capabilities(s.cap_drop));
}

void put_texts(json& host, const compose::service& s) {
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
  put_capabilities(host, c, s);
  put(host, "PortBindings", port_bindings_of(s));
  put(host, "RestartPolicy", restart_policy_of(s));
  put(host, "LogConfig", logging_of(s));
  put(host, "Devices", devices_of(c, s));
  put(host, "ExtraHosts", extra_hosts_of(s));
  put(host, "Tmpfs", tmpfs_of(s));
  put(host, "Links", links_of(c, s));
  put_resources(host, c, s);
  if (auto done = put_security(host, c, s); !done) return std::unexpected(done.error());
  if (auto done = put_mounts(host, c, s); !done) return std::unexpected(done.error());
  return host;
}

}  // namespace difyd::stack
