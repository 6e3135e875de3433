#include "render_adopt.hpp"

#include <nlohmann/json.hpp>

#include "difyd/base/text.hpp"
#include "render.hpp"

namespace difyd::cli {
namespace {

using json = nlohmann::ordered_json;
using rows = std::vector<std::vector<std::string>>;

std::string database_text(const config::database_settings& db) {
  const std::string names = "databases " + db.main + " and " + db.plugin;
  if (db.kind == "bundled") return "the release's own, " + names;
  return "external, " + db.host + ":" + std::to_string(db.port) + ", role " + db.user + ", " + names;
}

std::string redis_text(const config::redis_settings& redis) {
  if (redis.kind == "bundled") return "the release's own";
  return "external, " + redis.host + ":" + std::to_string(redis.port) + (redis.tls ? ", with TLS" : "");
}

std::string storage_text(const config::storage_settings& storage) {
  if (storage.kind == "local") return storage.root;
  return storage.root + ", where nfs " + storage.server + ":" + storage.export_path + " is mounted";
}

std::string shortened(std::vector<std::string> names) {
  constexpr std::size_t most = 12;
  if (names.size() <= most) return join(names, " ");
  const std::size_t more = names.size() - most;
  names.resize(most);
  return join(names, " ") + " and " + std::to_string(more) + " more, which --json names";
}

void add_list(std::string& text, const std::string& title, const std::vector<std::string>& names) {
  if (!names.empty()) text += "\n" + title + "\n" + wrapped(join(names, " "), "  ");
}

void add_sentences(std::string& text, const std::string& title, const std::vector<std::string>& sentences) {
  if (sentences.empty()) return;
  text += "\n" + title + "\n";
  for (const auto& each : sentences) {
    std::string lines = wrapped(each, "    ");
    text += "  - " + lines.substr(4);
  }
}

void add_services(std::string& text, const std::string& title,
                  const std::vector<release::service_difference>& services) {
  if (services.empty()) return;
  text += "\n" + title + "\n";
  for (const auto& each : services) {
    text += "  " + each.service + "\n";
    if (!each.what.empty()) text += wrapped(join(each.what, ", "), "      ");
    if (!each.environment.empty()) text += wrapped("environment: " + shortened(each.environment), "      ");
  }
}

std::vector<std::string> decisions(const adopt_document& document) {
  auto all = document.found.decide;
  const auto& more = document.become.report.decide;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::vector<std::string> written_files(const adopt_document& document) {
  std::vector<std::string> paths;
  for (const auto& each : document.become.made.files) paths.push_back(each.path);
  paths.push_back(document.config);
  return paths;
}

std::string where_to_unpack(const adopt_document& document) {
  const auto& settings = document.become.made.settings;
  return settings.releases.source + "/dify-" + settings.version->text();
}

// Beside the configuration.
std::string overlay_folder(const adopt_document& document) {
  return document.config.substr(0, document.config.rfind('/') + 1) + "overlay";
}

json service_list(const std::vector<release::service_difference>& services) {
  json list = json::array();
  for (const auto& each : services)
    list.push_back({{"service", each.service}, {"differs", each.what}, {"environment", each.environment}});
  return list;
}

void add_differences(std::string& text, const adopt_document& document) {
  const auto& found = document.found;
  add_services(text, "difyd does not use " + join(found.override_files, " ") + "; what it changes",
               found.by_overrides);
  if (!found.override_files.empty() && found.by_overrides.empty())
    text += "\ndifyd does not use " + join(found.override_files, " ") + "\n";
  if (!found.own_files.empty())
    text +=
        "\nfiles of this folder that the release has not, or has otherwise: difyd takes such files from "
        "releases.overlay only\n" +
        wrapped(join(found.own_files, " "), "  ");
  if (!document.changes) {
    text += "\nrelease " + document.become.made.settings.version->text() + " is not in " +
            document.become.made.settings.releases.source +
            ": this compose file could not be compared with the published one\n";
    return;
  }
  add_services(text, "services that will differ from those of so far", document.changes->differences);
  add_list(text, "the first start creates these containers again (their folder is another, at least)",
           document.changes->made_anew);
  add_list(text, "and leaves these as they are", document.changes->stay);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> own_keys(const config::settings& settings) {
  std::vector<std::pair<std::string, std::string>> keys;
  keys.emplace_back("storage", storage_text(settings.storage));
  keys.emplace_back("database", database_text(settings.database));
  keys.emplace_back(
      "vector store",
      settings.vector.kind + (settings.vector.host.empty() ? "" : ", external, " + settings.vector.host));
  keys.emplace_back("redis", redis_text(settings.redis));
  if (settings.profiles) keys.emplace_back("profiles", join(*settings.profiles, " "));
  return keys;
}

std::vector<std::string> next_steps(const adopt_document& document) {
  const bool usual = document.config == "/etc/difyd/difyd.yaml";
  const std::string difyd = usual ? "difyd" : "difyd --config " + document.config;
  std::vector<std::string> steps;
  if (!document.found.bundle)
    steps.push_back("unpack release " + document.become.made.settings.version->text() + " to " +
                    where_to_unpack(document));
  if (!document.found.own_files.empty())
    steps.push_back("copy the named files that are your own to " + overlay_folder(document) +
                    ", each at its path, and set releases.overlay: " + overlay_folder(document));
  steps.push_back(difyd + " config check");
  steps.push_back(difyd + " check");
  steps.push_back("end whatever runs docker compose in " + document.found.folder +
                  " at boot; from now on difyd does");
  steps.emplace_back(usual ? "systemctl enable --now difyd difyd-health" : difyd + " serve --with-health");
  steps.push_back(difyd + " status");
  return steps;
}

std::string render(const adopt_document& document) {
  const auto& settings = document.become.made.settings;
  const auto& report = document.become.report;
  std::string text = "Dify " + settings.version->text() + " in " + document.found.folder + ", project " +
                     settings.project + "\n\ntaken over\n";
  rows keys;
  for (const auto& [name, value] : own_keys(settings)) keys.push_back({name, value});
  text += table(keys, "  ");
  add_list(text, "overrides (environment)", report.overrides);
  add_list(text, "secrets in files (environment_files)", report.secrets);
  add_list(text, "of these, what no release here knows", report.unknown);
  add_list(text,
           document.found.facts.whole_env ? "keys of other releases, handed to the containers all the same"
                                          : "keys of other releases, left out: this one does not use them",
           report.obsolete);
  if (!report.defaulted.empty())
    text +=
        "\nnot in the .env: the release's default from now on\n" + wrapped(shortened(report.defaulted), "  ");
  rows changed{{"key", "so far", "from now on", "because"}};
  for (const auto& each : report.changed)
    changed.push_back(
        {each.key, each.before.empty() ? "-" : each.before, each.now.empty() ? "-" : each.now, each.why});
  if (changed.size() > 1) text += "\nnot as it was\n" + table(changed, "  ");
  add_differences(text, document);
  add_sentences(text, "to decide", decisions(document));
  text += document.written ? "\nwritten\n" : "\nwould be written\n";
  for (const auto& path : written_files(document)) text += "  " + path + "\n";
  text += "\nnext\n";
  for (const auto& step : next_steps(document)) text += "  " + step + "\n";
  return text;
}

std::string to_json(const adopt_document& document) {
  const auto& settings = document.become.made.settings;
  const auto& report = document.become.report;
  json changed = json::array(), keys = json::object();
  for (const auto& each : report.changed)
    changed.push_back({{"key", each.key}, {"before", each.before}, {"now", each.now}, {"why", each.why}});
  for (const auto& [name, value] : own_keys(settings)) keys[name] = value;
  json result{{"folder", document.found.folder},
              {"version", settings.version->text()},
              {"project", settings.project},
              {"taken_over", keys},
              {"environment", report.overrides},
              {"environment_files", report.secrets},
              {"unknown", report.unknown},
              {"obsolete", report.obsolete},
              {"defaulted", report.defaulted},
              {"changed", changed},
              {"override_files", document.found.override_files},
              {"by_override_files", service_list(document.found.by_overrides)},
              {"own_files", document.found.own_files},
              {"compared", document.changes.has_value()}};
  if (document.changes) {
    result["services"] = service_list(document.changes->differences);
    result["created_again"] = document.changes->made_anew;
    result["left"] = document.changes->stay;
  }
  result["decide"] = decisions(document);
  result["written"] = document.written;
  result["files"] = written_files(document);
  result["next"] = next_steps(document);
  return result.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace difyd::cli
