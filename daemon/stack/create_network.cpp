// Networks of a container, and the bodies that create networks and volumes (REFERENCE 2.1, 2.3).
#include "create_parts.hpp"

namespace difyd::stack {
namespace {

json ip_settings(const compose::endpoint& wanted) {
  json settings = json::object();
  put(settings, "IPv4Address", wanted.ipv4_address);
  put(settings, "IPv6Address", wanted.ipv6_address);
  put(settings, "LinkLocalIPs", wanted.link_local_ips);
  return settings;
}

// The addresses are in IPAMConfig; docker compose repeats them where the engine reports what it gave.
json endpoint_of(const create_context& c, const compose::service& s, const std::string& key, bool primary) {
  const auto named = s.networks.find(key);
  const auto wanted = named == s.networks.end() ? std::nullopt : named->second;
  json endpoint = json::object();
  json aliases = json::array({final_name_of(c)});
  if (!c.one_off) aliases.push_back(s.name);
  if (wanted && !c.one_off)
    for (const auto& alias : wanted->aliases) aliases.push_back(alias);
  endpoint["Aliases"] = aliases;
  put(endpoint, "Links", links_of(c, s));
  std::string mac = primary && c.api >= api_version{1, 44} ? s.mac_address : "";
  if (wanted) {
    put(endpoint, "IPAMConfig", ip_settings(*wanted));
    put(endpoint, "IPAddress", wanted->ipv4_address);
    put(endpoint, "IPv6Gateway", wanted->ipv6_address);
    if (!wanted->mac_address.empty()) mac = wanted->mac_address;
    auto options = wanted->driver_opts;
    if (!wanted->interface_name.empty())
      options["com.docker.network.endpoint.ifname"] = wanted->interface_name;
    if (c.dialect.endpoint_options) put(endpoint, "DriverOpts", options);
    if (c.dialect.gateway_priority) put(endpoint, "GwPriority", wanted->gw_priority);
  }
  put(endpoint, "MacAddress", mac);
  return endpoint;
}

json ipam_of(const compose::ipam_config& ipam) {
  json out = json::object();
  put(out, "Driver", ipam.driver);
  json pools = json::array();
  for (const auto& pool : ipam.config) {
    json each = json::object();
    put(each, "Subnet", pool.subnet);
    put(each, "IPRange", pool.ip_range);
    put(each, "Gateway", pool.gateway);
    put(each, "AuxiliaryAddresses", pool.aux_addresses);
    pools.push_back(std::move(each));
  }
  put(out, "Config", pools);
  return out;
}

}  // namespace

compose::text_list links_of(const create_context& c, const compose::service& s) {
  compose::text_list links;
  for (const auto& link : s.links) {
    const auto colon = link.find(':');
    const auto name = link.substr(0, colon);
    const auto target = c.project->services.find(name);
    if (target == c.project->services.end()) continue;
    for (int n = 1; n <= compose::wanted_scale(target->second); ++n) {
      const auto container = container_name(*c.project, target->second, n);
      const auto numbered =
          name + "-" + std::to_string(c.number);  // its own number, as docker compose has it
      links.push_back(container + ":" + (colon == std::string::npos ? name : link.substr(colon + 1)));
      links.push_back(container + ":" + numbered);
      links.push_back(container + ":" + c.project->name + "-" + numbered);
    }
  }
  for (const auto& link : s.external_links) {
    const auto colon = link.find(':');
    links.push_back(colon == std::string::npos ? link + ":" + link : link);
  }
  return links;
}

network_part networks_of(const create_context& c, const compose::service& s) {
  network_part part;
  part.networking = json::object();
  const bool unnamed = compose::joins_unnamed(*c.project, s);
  if (!unnamed && (!s.network_mode.empty() || s.networks.empty())) {
    part.mode = s.network_mode.empty() ? "none" : s.network_mode;
    return part;
  }
  const bool all_at_once = c.api >= api_version{1, 44};
  const auto keys = unnamed ? compose::text_list{"default"} : compose::networks_by_priority(s);
  for (const auto& key : keys) {
    const auto& name = c.project->networks.at(key).name;
    auto endpoint = endpoint_of(c, s, key, part.mode.empty());
    if (part.mode.empty()) part.mode = name;
    if (part.networking.empty() || all_at_once)
      part.networking[name] = std::move(endpoint);
    else
      part.connects.push_back({name, std::move(endpoint)});
  }
  return part;
}

json network_create_body(const compose::project& p, const std::string& key, const dialect& d) {
  const auto& n = p.networks.at(key);
  json body = {{"Name", n.name}, {"CheckDuplicate", true}};
  put(body, "Driver", n.driver);
  put(body, "Options", n.driver_opts);
  put(body, "Internal", n.internal);
  put(body, "Attachable", n.attachable);
  if (n.enable_ipv4) body["EnableIPv4"] = *n.enable_ipv4;
  if (n.enable_ipv6) body["EnableIPv6"] = *n.enable_ipv6;
  put(body, "IPAM", ipam_of(n.ipam));
  json labels = json::object();
  for (const auto& [name, value] : n.labels) labels[name] = value;
  labels[label::project] = p.name;
  labels[label::network] = key;
  labels[label::version] = d.version;
  if (d.network_hash) labels[label::config_hash] = compose::config_hash(n);
  body["Labels"] = labels;
  return body;
}

json volume_create_body(const compose::project& p, const std::string& key, const dialect& d) {
  const auto& v = p.volumes.at(key);
  json body = {{"Name", v.name}};
  put(body, "Driver", v.driver);
  put(body, "DriverOpts", v.driver_opts);
  json labels = json::object();
  for (const auto& [name, value] : v.labels) labels[name] = value;
  labels[label::project] = p.name;
  labels[label::volume] = key;
  labels[label::version] = d.version;
  if (d.volume_hash) labels[label::config_hash] = compose::config_hash(v);
  body["Labels"] = labels;
  return body;
}

}  // namespace difyd::stack
