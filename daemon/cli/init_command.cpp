#include "init_command.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "difyd/base/durable_file.hpp"
#include "difyd/config/table.hpp"
#include "difyd/release/archive.hpp"
#include "difyd/release/bundle.hpp"
#include "difyd/release/init.hpp"
#include "difyd/release/working_copy.hpp"
#include "render_adopt.hpp"
#include "unpacking.hpp"
#include "write_configuration.hpp"

namespace difyd::cli {
namespace {

namespace fs = std::filesystem;

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (::getrandom(bytes.data(), count, 0) != static_cast<ssize_t>(count)) std::abort();
  return bytes;
}

std::unexpected<Error> usage(const std::string& message, const std::string& remedy) {
  return fail("usage", "cannot make a configuration: " + message, remedy);
}

Result<std::string> kind_of(const std::string& asked, const std::string& host, const std::string& option) {
  if (!asked.empty() && asked != "bundled" && asked != "external")
    return usage(option + " is bundled or external, not " + asked, "See: difyd init --help");
  if (asked == "bundled" && !host.empty())
    return usage(option + "-host is for " + option + " external", "Leave one of them out");
  return asked.empty() && !host.empty() ? "external" : asked.empty() ? "bundled" : asked;
}

void make_absolute(std::string& path) {
  if (!path.empty()) path = fs::absolute(path).lexically_normal();
}

Result<> read_nfs(const std::string& text, config::storage_settings& storage) {
  if (text.empty()) return {};
  const std::size_t colon = text.rfind(":/");
  if (colon == std::string::npos || colon == 0)
    return usage("--nfs is " + text, "Write it as in the mount: --nfs 10.0.0.2:/share");
  storage.kind = "nfs";
  storage.server = text.substr(0, colon);
  storage.export_path = text.substr(colon + 1);
  storage.manage = true;
  return {};
}

Result<version> version_wanted(const init_wish& wish, const std::string& source) {
  if (!wish.version.empty()) return parse_version(wish.version);
  const auto known = release::obtainable(source);
  if (!known.empty()) return known.back();
  return fail("release-unknown", "cannot make a configuration: there is no release in " + source,
              "Put dify-<version>.tar.gz there, or name another folder with --releases");
}

Result<config::settings> settings_of(const init_wish& wish) {
  auto settings = wish.settings;
  for (auto* path :
       {&settings.releases.source, &settings.storage.root, &settings.database.password_file,
        &settings.database.ca_file, &settings.redis.password_file, &settings.vector.password_file})
    make_absolute(*path);
  auto database = kind_of(wish.database, settings.database.host, "--database");
  if (!database) return fail(database.error());
  settings.database.kind = *database;
  auto redis = kind_of(wish.redis, settings.redis.host, "--redis");
  if (!redis) return fail(redis.error());
  settings.redis.kind = *redis;
  // Written down: of a configuration that names no port, another server's 5432 is meant.
  auto& vector = settings.vector;
  if (vector.port == 0 && !vector.host.empty() && vector.host == settings.database.host)
    vector.port = settings.database.port;
  if (auto read = read_nfs(wish.nfs, settings.storage); !read) return fail(read.error());
  auto which = version_wanted(wish, settings.releases.source);
  if (!which) return fail(which.error());
  settings.version = *which;
  if (!wish.port.empty()) settings.environment["EXPOSE_NGINX_PORT"] = wish.port;
  if (const auto engine = engine_of_this_shell(); !engine.empty()) settings.engine_host = engine;
  return settings;
}

// New secrets on data that has its own already would lock it away.
Result<> refuse_data(const std::string& root) {
  std::error_code error;
  for (const auto& each : fs::directory_iterator(root, error))
    if (each.path().filename() != "lost+found")
      return fail(
          "exists",
          "cannot make a new installation in " + root + ": there is data in it; nothing was changed",
          "For a Dify that docker compose runs: difyd adopt DIR. Else name an empty folder: --storage");
  if (!error || error == std::errc::no_such_file_or_directory) return {};
  return fail("file-io", "cannot read " + root + ": " + error.message());
}

Result<release::initial> made(const std::string& config, const config::settings& settings) {
  if (auto here = unpack_release(settings.releases.source, *settings.version); !here)
    return fail(here.error());
  auto bundle = release::find_bundle(settings.releases.source, *settings.version);
  if (!bundle) return fail(std::move(bundle.error()));
  const auto compose = read_file(bundle->folder + "/" + bundle->compose_file);
  if (!compose) return fail(compose.error());
  auto initial = release::init(
      {settings, secrets_beside(config), bundle->env_example, release::named_keys(*compose)}, random_bytes);
  if (!initial) return initial;
  // As difyd will read and run it.
  const auto read = release::read_back(initial->made, config::this_process());
  if (!read) return fail(read.error());
  if (auto preview = release::preview(*read, *settings.version, std::nullopt); !preview)
    return fail(std::move(preview.error()));
  return initial;
}

Result<release::initial> write(const std::string& config, const init_wish& wish) {
  if (auto free = refuse_existing(config); !free) return fail(free.error());
  const auto settings = settings_of(wish);
  if (!settings) return fail(settings.error());
  if (auto empty = refuse_data(settings->storage.root); !empty) return fail(empty.error());
  auto initial = made(config, *settings);
  if (!initial) return initial;
  std::error_code error;
  if (settings->storage.kind == "local") fs::create_directories(settings->storage.root, error);
  if (error) return fail("file-io", "cannot create " + settings->storage.root + ": " + error.message());
  const std::string head = "# Made by difyd init. Every key: difyd config reference\n";
  if (auto written = write_configuration(config, head, initial->made); !written) return fail(written.error());
  return initial;
}

std::vector<std::string> steps_after(const std::string& config) {
  const bool usual = config == options().config;
  const std::string difyd = usual ? "difyd" : "difyd --config " + config;
  return {difyd + " check",
          usual ? "systemctl enable --now difyd difyd-health" : difyd + " serve --with-health",
          difyd + " status"};
}

void print(const std::string& config, const release::initial& initial, bool json) {
  const auto& settings = initial.made.settings;
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const auto& each : initial.made.files) files.push_back(each.path);
  files.push_back(config);
  if (json) {
    const nlohmann::ordered_json document{{"version", settings.version->text()},
                                          {"project", settings.project},
                                          {"files", files},
                                          {"notes", initial.notes},
                                          {"next", steps_after(config)}};
    std::printf("%s\n", document.dump(2).c_str());
    return;
  }
  std::string text = "Dify " + settings.version->text() + ", project " + settings.project + "\n";
  for (const auto& [name, value] : own_keys(settings)) text += "  " + name + ": " + value + "\n";
  text += "\nwritten\n";
  for (const auto& each : files) text += "  " + each.get<std::string>() + "\n";
  text +=
      "Keep a copy of the secrets elsewhere: without SECRET_KEY and the passwords the data is of no use.\n";
  for (const auto& each : initial.notes) text += each + "\n";
  text += "\nnext\n";
  for (const auto& each : steps_after(config)) text += "  " + each + "\n";
  std::fputs(text.c_str(), stdout);
}

}  // namespace

init_wish::init_wish() : settings(config::defaults()) { settings.storage.root = "/srv/dify"; }

int init(const options& given, const init_wish& wish) {
  const std::string config = fs::absolute(given.config).lexically_normal();
  const auto initial = write(config, wish);
  if (!initial) return report(initial.error(), exit_code_for_writing(initial.error()));
  print(config, *initial, given.json);
  return succeeded;
}

}  // namespace difyd::cli
