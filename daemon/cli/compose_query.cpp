// `difyd compose config` and `ps`: what only looks.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "compose_session.hpp"
#include "difyd/base/text.hpp"
#include "difyd/compose/canonical.hpp"
#include "difyd/stack/create.hpp"
#include "difyd/stack/labels.hpp"
#include "difyd/stack/observe.hpp"

namespace difyd::cli {
namespace {

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int print_hashes(const compose::project& p, const std::string& which, const std::string& version) {
  const auto epoch = version.empty() ? stack::dialect{}.epoch : stack::dialect_of(version).epoch;
  const auto wanted = split(which, ',');
  for (const auto& [name, s] : p.services)
    if (which == "*" || std::find(wanted.begin(), wanted.end(), name) != wanted.end())
      print(name + " " + stack::service_hash(p, s, epoch) + "\n");
  return compose_done;
}

std::string ago(std::int64_t seconds) {
  const auto text = [](std::int64_t n, const char* unit) {
    return std::to_string(n) + " " + unit + (n == 1 ? "" : "s") + " ago";
  };
  if (seconds < 1) return "Less than a second ago";
  if (seconds < 120) return seconds < 60 ? text(seconds, "second") : "About a minute ago";
  if (seconds < 7200) return seconds < 3600 ? text(seconds / 60, "minute") : "About an hour ago";
  if (seconds < 172800) return text(seconds / 3600, "hour");
  return text(seconds / 86400, "day");
}

std::string ports_of(const stack::observed_container& c) {
  std::vector<std::string> parts;
  for (const auto& p : c.ports) {
    const auto target = std::to_string(p.target) + "/" + p.protocol;
    const auto host = p.address.find(':') == std::string::npos ? p.address : "[" + p.address + "]";
    parts.push_back(p.published == 0 ? target : host + ":" + std::to_string(p.published) + "->" + target);
  }
  std::sort(parts.begin(), parts.end());
  return join(parts, ", ");
}

std::string quoted_command(const std::string& command) {
  return "\"" + (command.size() > 20 ? command.substr(0, 19) + "…" : command) + "\"";
}

nlohmann::json json_of(const stack::observed_container& c, const std::string& project) {
  auto publishers = nlohmann::json::array();
  for (const auto& p : c.ports)
    publishers.push_back({{"URL", p.address},
                          {"TargetPort", p.target},
                          {"PublishedPort", p.published},
                          {"Protocol", p.protocol}});
  return {{"ID", c.id.substr(0, 12)},
          {"Name", c.name},
          {"Names", c.name},
          {"Image", c.image},
          {"Command", quoted_command(c.command)},
          {"Project", project},
          {"Service", c.service},
          {"State", c.state},
          {"Health", c.health},
          {"ExitCode", c.exit_code},
          {"Status", c.status},
          {"Publishers", publishers},
          {"Ports", ports_of(c)}};
}

void print_table(const std::vector<const stack::observed_container*>& containers) {
  std::vector<std::vector<std::string>> rows{
      {"NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"}};
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  for (const auto* c : containers)
    rows.push_back({c->name, c->image, quoted_command(c->command), c->service, ago(now - c->created),
                    c->status, ports_of(*c)});
  std::vector<std::size_t> widths(rows[0].size());
  const auto width_of = [](const std::string& text) {  // UTF-8 continuation bytes take no column
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
  };
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += row[i] + std::string(i + 1 < row.size() ? widths[i] - width_of(row[i]) + 3 : 0, ' ');
    print(line + "\n");
  }
}

int print_containers(const stack::observed& now, const compose_options& options) {
  std::vector<const stack::observed_container*> shown;
  for (const auto& c : now.containers) {
    const bool named = options.services.empty() || std::find(options.services.begin(), options.services.end(),
                                                             c.service) != options.services.end();
    const bool up = c.state == "running" || c.state == "paused" || c.state == "restarting";
    if (named && (options.all || (up && !c.one_off))) shown.push_back(&c);
  }
  std::vector<std::string> services;
  for (const auto* c : shown) services.push_back(c->service);
  std::sort(services.begin(), services.end());
  services.erase(std::unique(services.begin(), services.end()), services.end());
  if (options.list_services) {
    for (const auto& service : services) print(service + "\n");
  } else if (options.quiet) {
    for (const auto* c : shown) print(c->id + "\n");
  } else if (options.format == "json") {
    for (const auto* c : shown) print(json_of(*c, now.project).dump() + "\n");
  } else {
    print_table(shown);
  }
  return compose_done;
}

}  // namespace

int compose_config(const compose_options& options) {
  auto loaded = load_project(options, true);
  if (!loaded) return report_compose(loaded.error());
  auto& p = **loaded;
  compose::drop_unused_resources(p);
  if (options.quiet) return compose_done;
  if (!options.hash.empty()) return print_hashes(p, options.hash, options.version);
  if (options.list_services || options.list_images) {
    for (const auto& [name, s] : p.services)
      print((options.list_services ? name : stack::image_reference(p, s)) + "\n");
  } else if (options.list_volumes) {
    for (const auto& [name, v] : p.volumes) print(name + "\n");
  } else if (options.list_profiles) {
    std::vector<std::string> all;
    for (const auto* services : {&p.services, &p.disabled_services})
      for (const auto& [name, s] : *services) all.insert(all.end(), s.profiles.begin(), s.profiles.end());
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    for (const auto& profile : all) print(profile + "\n");
  } else {
    print(options.format == "json" ? compose::to_json(p) : compose::to_yaml(p));
  }
  return compose_done;
}

int compose_ps(const compose_options& options) {
  auto of = project_or_name(options);
  if (!of) return report_compose(of.error());
  return with_engine([&](engine::client& engine) -> task<int> {
    auto now = co_await stack::observe(engine, of->name);
    if (!now) co_return report_compose(now.error());
    if (of->project)
      for (const auto& service : options.services)
        if (!of->project->services.contains(service) && !of->project->disabled_services.contains(service))
          co_return report_compose({"no-such-service", "no such service: " + service, ""});
    co_return print_containers(*now, options);
  });
}

}  // namespace difyd::cli
