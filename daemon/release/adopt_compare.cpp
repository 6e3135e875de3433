#include "difyd/base/text.hpp"
#include "difyd/compose/hash.hpp"
#include "difyd/release/adopt.hpp"
#include "difyd/release/hop.hpp"
#include "difyd/release/roles.hpp"

namespace difyd::release {
namespace {

using compose::project;
using compose::service;

std::string tag_of(const std::string& image) {
  const std::string name = image.substr(0, image.find('@'));
  const std::size_t colon = name.rfind(':'), slash = name.rfind('/');
  const bool tagged = colon != std::string::npos && (slash == std::string::npos || colon > slash);
  return tagged ? name.substr(colon + 1) : std::string();
}

// By name: an image from a registry of one's own may be called anything.
constexpr const char* versioned[] = {"api", "worker", "worker_beat", "api_websocket", "web"};

std::string variable(const service& of, const std::string& key) {
  const auto found = of.environment.find(key);
  return found == of.environment.end() ? "" : found->second.value_or("");
}

service_difference difference_of(const project& before, const service& was, const project& after, service is,
                                 const name_set& told) {
  constexpr std::string_view environment = "environment ";
  service_difference found{is.name, {}, {}};
  if (was.image != is.image) found.what.push_back("image " + was.image + " -> " + is.image);
  if (was.ports != is.ports) found.what.emplace_back("ports");
  is.ports = was.ports;
  for (auto& each : different_settings(before, was, after, is)) {
    if (!each.starts_with(environment)) {
      found.what.push_back(std::move(each));
      continue;
    }
    const std::string key = each.substr(environment.size());
    if (!told.contains(key) && variable(was, key) != variable(is, key)) found.environment.push_back(key);
  }
  return found;
}

}  // namespace

Result<version> version_of(const project& project) {
  constexpr const char* remedy = "Give the version that is deployed: --version 1.11.4";
  std::optional<version> found;
  std::vector<std::string> images;
  bool differ = false;
  for (const char* name : versioned) {
    const std::string image = image_of(project, name);
    if (image.empty()) continue;
    images.push_back(std::string(name) + " " + image);
    const auto parsed = parse_version(tag_of(image));
    if (!parsed)
      return fail("adopt-version", "cannot tell the version: the image of " + images.back() + " names none",
                  remedy);
    if (found && *found != *parsed) differ = true;
    found = *parsed;
  }
  if (!found) return fail("adopt-version", "cannot tell the version: there is no service api or web", remedy);
  if (differ)
    return fail("adopt-version", "cannot tell the version: the images are of several: " + join(images, ", "),
                remedy);
  return *found;
}

std::string storage_of(const project& project) {
  constexpr std::string_view below = "/app/storage";
  const auto api = project.services.find("api");
  if (api == project.services.end()) return {};
  for (const auto& mount : api->second.volumes)
    if (mount.type == "bind" && mount.target == "/app/api/storage" && mount.source.ends_with(below))
      return mount.source.substr(0, mount.source.size() - below.size());
  return {};
}

std::string published_port(const project& project) {
  const auto nginx = project.services.find("nginx");
  if (nginx == project.services.end()) return {};
  std::string found;
  for (const auto& port : nginx->second.ports) {
    if (port.target == 443) continue;
    if (!found.empty()) return {};
    const bool v6 = port.host_ip.find(':') != std::string::npos;
    const std::string address = v6 ? "[" + port.host_ip + "]" : port.host_ip;
    found = address.empty() ? port.published : address + ":" + port.published;
  }
  return found;
}

name_set named_keys(std::string_view text) {
  name_set found;
  for (std::size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", at + 2)) {
    const auto rest = text.substr(at + 2);
    const auto end =
        rest.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    if (end > 0) found.emplace(rest.substr(0, end));
  }
  return found;
}

comparison compare(const project& before, const project& after, const name_set& told) {
  comparison result;
  constexpr auto without_dependencies = compose::hash_epoch::v2_40;
  for (const auto& [name, is] : after.services) {
    const auto was = before.services.find(name);
    if (was == before.services.end()) {
      result.differences.push_back({name, {"did not run so far"}, {}});
      continue;
    }
    auto found = difference_of(before, was->second, after, is, told);
    if (!found.what.empty() || !found.environment.empty()) result.differences.push_back(std::move(found));
    const bool same = compose::config_hash(was->second, without_dependencies) ==
                      compose::config_hash(is, without_dependencies);
    (same ? result.stay : result.made_anew).push_back(name);
  }
  for (const auto& [name, was] : before.services)
    if (!after.services.contains(name)) {
      const bool known = after.disabled_services.contains(name);
      result.differences.push_back({name, {known ? "not enabled" : "not in the release"}, {}});
    }
  return result;
}

}  // namespace difyd::release
