// Images, networks, volumes, the engine itself.
#include "decode.hpp"

namespace difyd::engine {

Result<image> decode_image(json value) {
  image result;
  const json& config = member(value, "Config");
  result.id = text(value, "Id");
  if (result.id.empty()) return std::unexpected(malformed("inspect an image", "it has no id"));
  result.repo_tags = texts(value, "RepoTags");
  result.repo_digests = texts(value, "RepoDigests");
  result.created = text(value, "Created");
  result.size = number(value, "Size");
  result.os = text(value, "Os");
  result.architecture = text(value, "Architecture");
  result.variant = text(value, "Variant");
  result.labels = map_of(config, "Labels");
  result.volumes = keys(config, "Volumes");
  result.entrypoint = texts(config, "Entrypoint");
  result.cmd = texts(config, "Cmd");
  result.env = texts(config, "Env");
  result.user = text(config, "User");
  const auto test = texts(member(config, "Healthcheck"), "Test");
  result.has_healthcheck = !test.empty() && test.front() != "NONE";
  result.last_tagged = moment(member(value, "Metadata"), "LastTagTime");
  result.raw = std::make_shared<const json>(std::move(value));
  return result;
}

Result<image_summary> decode_image_summary(const json& value) {
  image_summary result{text(value, "Id"),       texts(value, "RepoTags"), texts(value, "RepoDigests"),
                       map_of(value, "Labels"), number(value, "Created"), number(value, "Size")};
  if (result.id.empty()) return std::unexpected(malformed("list images", "an image has no id"));
  return result;
}

Result<network> decode_network(const json& value) {
  network result;
  result.id = text(value, "Id");
  if (result.id.empty()) return std::unexpected(malformed("read a network", "it has no id"));
  result.name = text(value, "Name");
  result.created = text(value, "Created");
  result.driver = text(value, "Driver");
  result.scope = text(value, "Scope");
  result.internal = flag(value, "Internal");
  result.attachable = flag(value, "Attachable");
  result.ipv6 = flag(value, "EnableIPv6");
  result.labels = map_of(value, "Labels");
  result.options = map_of(value, "Options");
  const json& ranges = member(member(value, "IPAM"), "Config");
  if (ranges.is_array())
    for (const auto& each : ranges) result.subnets.push_back({text(each, "Subnet"), text(each, "Gateway")});
  const json& attached = member(value, "Containers");
  if (attached.is_object())
    for (const auto& [id, each] : attached.items()) result.containers.emplace(id, text(each, "Name"));
  result.raw = std::make_shared<const json>(value);
  return result;
}

Result<volume> decode_volume(const json& value) {
  volume result{text(value, "Name"),      text(value, "Driver"), text(value, "Mountpoint"),
                text(value, "CreatedAt"), text(value, "Scope"),  map_of(value, "Labels"),
                map_of(value, "Options")};
  if (result.name.empty()) return std::unexpected(malformed("read a volume", "it has no name"));
  return result;
}

engine_info decode_info(const json& value) {
  engine_info result;
  result.name = text(value, "Name");
  result.server_version = text(value, "ServerVersion");
  result.data_root = text(value, "DockerRootDir");
  result.storage_driver = text(value, "Driver");
  result.cgroup_version = text(value, "CgroupVersion");
  result.cgroup_driver = text(value, "CgroupDriver");
  result.operating_system = text(value, "OperatingSystem");
  result.kernel = text(value, "KernelVersion");
  result.architecture = text(value, "Architecture");
  result.cpus = static_cast<int>(number(value, "NCPU"));
  result.memory = number(value, "MemTotal");
  result.containers_running = static_cast<int>(number(value, "ContainersRunning"));
  result.live_restore = flag(value, "LiveRestoreEnabled");
  result.security_options = texts(value, "SecurityOptions");
  result.warnings = texts(value, "Warnings");
  return result;
}

}  // namespace difyd::engine
