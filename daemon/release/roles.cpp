#include "difyd/release/roles.hpp"

#include <algorithm>

namespace difyd::release {
namespace {

constexpr std::string_view api_image = "langgenius/dify-api";

std::string mode_of(const compose::service& service) {
  const auto mode = service.environment.find("MODE");
  return mode == service.environment.end() || !mode->second ? "" : *mode->second;
}

// Shared files and what can be made again.
bool keeps_nothing(std::string_view below_volumes) {
  const auto first = below_volumes.substr(0, below_volumes.find('/'));
  return first == "app" || first == "sandbox" || first == "certbot";
}

template <class Wanted>
std::vector<std::string> names(const compose::project& project, Wanted wanted) {
  std::vector<std::string> found;
  for (const auto& [name, service] : project.services)
    if (wanted(service)) found.push_back(name);
  return found;
}

}  // namespace

std::string repository(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const std::size_t slash = image.find('/');
  const std::string_view host = image.substr(0, slash == std::string_view::npos ? 0 : slash);
  // A first part with a dot or a port is a registry's host.
  if (host.find_first_of(".:") != std::string_view::npos || host == "localhost")
    image.remove_prefix(host.size() + 1);
  if (image.starts_with("library/")) image.remove_prefix(8);
  return std::string(
      image.substr(0, image.find(':', image.rfind('/') == std::string_view::npos ? 0 : image.rfind('/'))));
}

std::string image_of(const compose::project& project, std::string_view service) {
  const auto found = project.services.find(service);
  return found == project.services.end() ? "" : found->second.image;
}

std::vector<std::string> services_of_image(const compose::project& project, std::string_view name) {
  return names(project, [&](const compose::service& each) { return repository(each.image) == name; });
}

std::vector<std::string> api_services(const compose::project& project) {
  return services_of_image(project, api_image);
}

std::string api_service(const compose::project& project) {
  const auto all = api_services(project);
  // api_websocket has MODE=api too; the published entrance is named api in every release.
  if (std::ranges::find(all, "api") != all.end()) return "api";
  for (const auto& name : all)
    if (mode_of(project.services.at(name)) == "api") return name;
  return {};
}

std::vector<std::string> worker_services(const compose::project& project) {
  return names(project, [](const compose::service& each) {
    const std::string mode = mode_of(each);
    return repository(each.image) == api_image && (mode == "worker" || mode == "beat");
  });
}

std::set<std::string> data_places(const compose::project& project, const compose::service& service) {
  const std::string volumes = project.working_dir + "/volumes/";
  std::set<std::string> places;
  for (const auto& mount : service.volumes) {
    if (mount.read_only) continue;
    if (mount.type == "volume" && !mount.source.empty()) places.insert(mount.source);
    if (mount.type != "bind" || !mount.source.starts_with(volumes)) continue;
    if (const auto below = mount.source.substr(volumes.size()); !keeps_nothing(below))
      places.insert("volumes/" + below);
  }
  return places;
}

std::vector<std::string> data_services(const compose::project& project) {
  return names(project, [&](const compose::service& each) {
    return repository(each.image) != api_image && !data_places(project, each).empty();
  });
}

std::vector<std::string> infrastructure(const compose::project& project) {
  const auto users = database_users(project);
  auto found = data_services(project);
  std::erase_if(found, [&](const auto& each) { return std::ranges::find(users, each) != users.end(); });
  return found;
}

std::vector<std::string> database_users(const compose::project& project) {
  return names(project, [](const compose::service& each) {
    const std::string name = repository(each.image);
    return name == api_image || name == "langgenius/dify-plugin-daemon";
  });
}

std::vector<std::string> bystanders(const compose::project& project) {
  return names(project, [](const compose::service& each) {
    const std::string name = repository(each.image);
    return name == "langgenius/dify-sandbox" || name == "ubuntu/squid";
  });
}

std::vector<std::string> preparers(const compose::project& project) {
  return names(project, [&](const compose::service& each) {
    return repository(each.image) == "busybox" && one_shot(project, each.name);
  });
}

std::string nginx_service(const compose::project& project) {
  const auto all = services_of_image(project, "nginx");
  return all.empty() ? "" : all.front();
}

bool one_shot(const compose::project& project, std::string_view service) {
  const auto own = project.services.find(service);
  if (own != project.services.end() && own->second.restart == "no") return true;
  return std::ranges::any_of(project.services, [&](const auto& other) {
    const auto wait = other.second.depends_on.find(service);
    return wait != other.second.depends_on.end() &&
           wait->second.condition == "service_completed_successfully";
  });
}

std::vector<std::string> images(const compose::project& project) {
  std::set<std::string> all;
  for (const auto& [name, service] : project.services)
    if (!service.image.empty()) all.insert(service.image);
  return {all.begin(), all.end()};
}

}  // namespace difyd::release
