#include "rules.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "difyd/base/text.hpp"

namespace difyd::config {
namespace {

mistake missing(std::string path, const std::string& because) {
  return {{0, 0}, "config-missing-key", path + " is missing: " + because, "Give " + path};
}

mistake contradiction(std::string cause, std::string remedy) {
  return {{0, 0}, "config-out-of-range", std::move(cause), std::move(remedy)};
}

// Variables that difyd sets from keys of its own: a second place for the same thing would
// let the stack and difyd talk to different servers.
constexpr std::array<std::pair<std::string_view, std::string_view>, 16> owned = {{
    {"DB_HOST", "database.host"},
    {"DB_PORT", "database.port"},
    {"DB_USERNAME", "database.user"},
    {"DB_PASSWORD", "database.password_file"},
    {"DB_DATABASE", "database.main"},
    {"DB_PLUGIN_DATABASE", "database.plugin"},
    {"VECTOR_STORE", "vector.kind"},
    {"REDIS_HOST", "redis.host"},
    {"REDIS_PORT", "redis.port"},
    {"REDIS_USERNAME", "redis.user"},
    {"REDIS_PASSWORD", "redis.password_file"},
    {"REDIS_USE_SSL", "redis.tls"},
    {"REDIS_DB", "redis.db"},
    {"COMPOSE_PROFILES", "profiles"},
    {"COMPOSE_PROJECT_NAME", "project"},
    {"COMPOSE_FILE", ""},
}};

void check_overrides(const text_map& overrides, std::vector<mistake>& mistakes) {
  for (const auto& [name, path] : owned) {
    if (!overrides.contains(name)) continue;
    const std::string remedy = path.empty() ? "Remove it" : "Use the key " + std::string(path);
    mistakes.push_back(contradiction(std::string(name) + " must not be overridden", remedy));
  }
  if (overrides.contains("MIGRATION_ENABLED"))
    mistakes.push_back(contradiction("MIGRATION_ENABLED must not be overridden",
                                     "Remove it: difyd runs migrations itself, and nothing else may"));
}

// What would become another line, or another option, in a unit file.
bool one_word(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c <= ' ' || c == '\\' || c == 0x7f; });
}

void check_mount(const storage_settings& storage, std::vector<mistake>& mistakes) {
  const std::pair<const char*, const std::string&> words[] = {{"storage.server", storage.server},
                                                              {"storage.export", storage.export_path},
                                                              {"storage.source", storage.source},
                                                              {"storage.fstype", storage.fstype},
                                                              {"storage.options", storage.options}};
  for (const auto& [key, value] : words)
    if (!one_word(value))
      mistakes.push_back(contradiction(std::string(key) + " has a blank or a backslash in it",
                                       "Correct it: mounts are written without"));
  for (const auto& option : split(storage.options, ','))
    if (option == "soft")
      mistakes.push_back(contradiction("storage.options has soft, which loses data silently (nfs(5))",
                                       "Use hard: difyd does not hang with the share"));
  if (storage.kind == "nfs" && !storage.fstype.empty() && storage.fstype != "nfs" && storage.fstype != "nfs4")
    mistakes.push_back(contradiction("storage.fstype is " + storage.fstype + " while storage.kind is nfs",
                                     "Use nfs or nfs4, or set storage.kind to mount"));
}

void check_storage(const storage_settings& storage, std::vector<mistake>& mistakes) {
  check_mount(storage, mistakes);
  const bool nfs = storage.kind == "nfs", other = storage.kind == "mount";
  if (nfs && storage.server.empty()) mistakes.push_back(missing("storage.server", "storage.kind is nfs"));
  if (nfs && storage.export_path.empty())
    mistakes.push_back(missing("storage.export", "storage.kind is nfs"));
  if (other && storage.source.empty()) mistakes.push_back(missing("storage.source", "storage.kind is mount"));
  if (other && storage.fstype.empty()) mistakes.push_back(missing("storage.fstype", "storage.kind is mount"));
  if (!nfs && (!storage.server.empty() || !storage.export_path.empty()))
    mistakes.push_back(contradiction("storage.server and storage.export need storage.kind nfs",
                                     "Set storage.kind to nfs, or remove them"));
  if (!other && !storage.source.empty())
    mistakes.push_back(
        contradiction("storage.source needs storage.kind mount", "Set storage.kind to mount, or remove it"));
  if (!nfs && !other && (storage.manage || !storage.fstype.empty() || !storage.options.empty()))
    mistakes.push_back(
        contradiction("storage.manage, storage.fstype and storage.options need storage.kind nfs or mount",
                      "Set storage.kind, or remove them"));
}

bool given(const std::optional<text_list>& program) { return program && !program->empty(); }

void check_program(const char* key, const std::optional<text_list>& program, std::vector<mistake>& mistakes) {
  if (given(program) && !program->front().starts_with('/'))
    mistakes.push_back(
        contradiction(std::string(key) + " begins with " + program->front() + ", which is no absolute path",
                      "Name the program by its whole path"));
}

void check_programs(const upgrade_settings& upgrade, std::vector<mistake>& mistakes) {
  if (upgrade.backup == "command" && !given(upgrade.backup_command))
    mistakes.push_back(missing("upgrade.backup_command", "upgrade.backup is command"));
  if (upgrade.backup == "cloudsql" && !given(upgrade.cloudsql_instances))
    mistakes.push_back(missing("upgrade.cloudsql_instances", "upgrade.backup is cloudsql"));
  for (const auto& each : upgrade.cloudsql_instances.value_or(text_list{}))
    if (const auto parts = std::ranges::count(each, ':'); parts < 1 || parts > 3)
      mistakes.push_back(
          contradiction("upgrade.cloudsql_instances: " + each + " names no Cloud SQL instance",
                        "Write PROJECT:INSTANCE, or its connection name PROJECT:REGION:INSTANCE"));
  if (!upgrade.cloudsql_api.starts_with("https://") && !upgrade.cloudsql_api.starts_with("http://127.0.0.1"))
    mistakes.push_back(contradiction("upgrade.cloudsql_api is no https address", "A token is sent to it"));
  check_program("upgrade.backup_command", upgrade.backup_command, mistakes);
  check_program("upgrade.hook", upgrade.hook, mistakes);
}

// `values`: of a server that others run, in `group` of the configuration.
void check_login(const auto& values, const std::string& group, const std::string& because,
                 std::vector<mistake>& mistakes) {
  if (values.user.empty()) mistakes.push_back(missing(group + ".user", because));
  if (values.password_file.empty() && values.password_credential.empty())
    mistakes.push_back(missing(group + ".password_file", because));
}

void check_tls(const auto& values, const std::string& group, std::vector<mistake>& mistakes) {
  if (values.sslmode.starts_with("verify-") && values.ca_file.empty())
    mistakes.push_back(missing(group + ".ca_file", group + ".sslmode is " + values.sslmode));
}

void check_rehearsal(const rehearsal_settings& rehearsal, std::vector<mistake>& mistakes) {
  if (!rehearsal.host.empty())
    check_login(rehearsal, "rehearsal", "rehearsal.host is given", mistakes);
  else if (rehearsal != rehearsal_settings{})
    mistakes.push_back(missing("rehearsal.host", "other keys of rehearsal are given"));
  check_tls(rehearsal, "rehearsal", mistakes);
}

void check_database(const database_settings& database, std::vector<mistake>& mistakes) {
  if (database.kind == "external") {
    if (database.host.empty()) mistakes.push_back(missing("database.host", "database.kind is external"));
    check_login(database, "database", "database.kind is external", mistakes);
  }
  check_tls(database, "database", mistakes);
  if (database.main == database.plugin || database.main == database.lease ||
      database.plugin == database.lease)
    mistakes.push_back(contradiction("database.main, database.plugin and database.lease must differ", ""));
}

void check_rest(const settings& values, std::vector<mistake>& mistakes) {
  for (const auto& [key, value] : {std::pair("releases.checksum_url", values.releases.checksum_url),
                                   std::pair("releases.proxy", values.releases.proxy)})
    if (values.releases.url.empty() && !value.empty())
      mistakes.push_back(
          contradiction(std::string(key) + " needs releases.url", "Give releases.url, or remove it"));
  if (values.redis.kind == "external" && values.redis.host.empty())
    mistakes.push_back(missing("redis.host", "redis.kind is external"));
  if (values.redis.kind == "bundled" && (!values.redis.host.empty() || values.redis.tls))
    mistakes.push_back(contradiction("redis.host and redis.tls need redis.kind external",
                                     "Set redis.kind to external, or remove them"));
  if (!values.vector.host.empty() && values.vector.kind != "pgvector")
    mistakes.push_back(contradiction("vector.host is supported for vector.kind pgvector only",
                                     "Set that store's own variables below environment"));
  for (const auto& [name, file] : values.environment_files)
    if (!file.starts_with('/'))
      mistakes.push_back(
          contradiction(name + " below environment_files is \"" + file + "\" but must be an absolute path",
                        "Begin it with /, for example /etc/difyd/" + file));
    else if (values.environment.contains(name))
      mistakes.push_back(contradiction(name + " is given below environment and below environment_files",
                                       "Remove one of them"));
}

bool not_one(const std::string& file, const std::string& credential, const std::string& group,
             std::vector<mistake>& mistakes) {
  if (file.empty() || credential.empty()) return false;
  mistakes.push_back(contradiction(
      group + ".password_file and " + group + ".password_credential are both given", "Remove one of them"));
  return true;
}

struct secret_reader {
  const surroundings& world;
  std::vector<mistake>& mistakes;
  std::vector<std::string>& warnings;

  secret from_file(const std::string& path, const std::string& key) {
    const auto content = world.read_file(path);
    if (!content) {
      refuse(key, path, content.error().message);
      return {};
    }
    if (world.readable_by_all && world.readable_by_all(path))
      warnings.push_back(path + " (" + key + ") can be read by every user of this machine: chmod 0600 it");
    return checked(*content, key, path);
  }

  secret from_credential(const std::string& name, const std::string& key) {
    if (world.credentials_directory.empty()) {
      refuse(key, "credential " + name, "this process got no credentials from systemd",
             "Add LoadCredential=" + name + ":<file> to difyd.service");
      return {};
    }
    const std::string path = world.credentials_directory + "/" + name;
    const auto content = world.read_file(path);
    if (content) return checked(*content, key, path);
    refuse(key, "credential " + name, content.error().message,
           "Add LoadCredential=" + name + ":<file> to difyd.service");
    return {};
  }

  secret either(const std::string& file, const std::string& credential, const std::string& group) {
    if (not_one(file, credential, group, mistakes)) return {};
    if (!file.empty()) return from_file(file, group + ".password_file");
    if (!credential.empty()) return from_credential(credential, group + ".password_credential");
    return {};
  }

 private:
  secret checked(std::string content, const std::string& key, const std::string& place) {
    while (content.ends_with('\n') || content.ends_with('\r')) content.pop_back();
    if (content.empty()) refuse(key, place, "it is empty");
    if (content.find('\0') != std::string::npos) refuse(key, place, "it holds a NUL byte");
    return secret(std::move(content));
  }

  void refuse(const std::string& key, const std::string& place, const std::string& cause,
              std::string remedy = {}) {
    if (remedy.empty()) remedy = "Put the secret into that file, readable by difyd only";
    mistakes.push_back(
        {{0, 0}, "config-secret-missing", key + " names " + place + ": " + cause, std::move(remedy)});
  }
};

}  // namespace

bool may_override(std::string_view variable) {
  return variable != "MIGRATION_ENABLED" &&
         std::ranges::none_of(owned, [&](const auto& each) { return each.first == variable; });
}

void derive(settings& values) {
  if (values.database.sslmode.empty())
    values.database.sslmode = values.database.kind == "external" ? "require" : "disable";
  if (auto& rehearsal = values.rehearsal; !rehearsal.host.empty()) {
    if (rehearsal.port == 0) rehearsal.port = 5432;
    if (rehearsal.sslmode.empty()) rehearsal.sslmode = "require";
    if (rehearsal.database.empty()) rehearsal.database = "postgres";
  }
  auto& vector = values.vector;
  if (vector.kind != "pgvector" || vector.host.empty()) return;
  if (vector.port == 0) vector.port = 5432;
  if (vector.user.empty()) vector.user = values.database.user;
  if (vector.database.empty()) vector.database = values.database.main;
}

std::vector<mistake> check_rules(const settings& values) {
  std::vector<mistake> mistakes;
  check_storage(values.storage, mistakes);
  check_database(values.database, mistakes);
  check_rehearsal(values.rehearsal, mistakes);
  check_programs(values.upgrade, mistakes);
  check_rest(values, mistakes);
  check_overrides(values.environment, mistakes);
  check_overrides(values.environment_files, mistakes);
  return mistakes;
}

void check_folders(const settings& values, const surroundings& world, std::vector<mistake>& mistakes) {
  const std::string& source = values.releases.source;
  const std::string& overlay = values.releases.overlay;
  if (world.is_folder && !overlay.empty() && !world.is_folder(overlay))
    mistakes.push_back({{0, 0},
                        "config-folder-missing",
                        "releases.overlay is " + overlay + ", which is no folder",
                        "Put your files there, or remove releases.overlay"});
  // A download makes it.
  if (!world.is_folder || !values.releases.url.empty() || world.is_folder(source)) return;
  mistakes.push_back({{0, 0},
                      "config-folder-missing",
                      "releases.source is " + source + ", which is no folder",
                      "Make it and unpack a Dify release to " + source + "/dify-<version>"});
}

void read_secrets(settings& values, const surroundings& world, std::vector<mistake>& mistakes,
                  std::vector<std::string>& warnings) {
  secret_reader read{world, mistakes, warnings};
  values.database.password =
      read.either(values.database.password_file, values.database.password_credential, "database");
  // Dify writes user and password into an URL with quote_plus (api/configs/middleware), and SQLAlchemy does
  // not read a plus sign as a space again.
  if (values.database.password.reveal().find(' ') != std::string::npos)
    warnings.emplace_back(
        "database.password has a space in it, and Dify cannot log in with such a one: give the role another");
  values.redis.password = read.either(values.redis.password_file, values.redis.password_credential, "redis");
  auto& rehearsal = values.rehearsal;
  rehearsal.password = read.either(rehearsal.password_file, rehearsal.password_credential, "rehearsal");
  auto& vector = values.vector;
  vector.password = read.either(vector.password_file, vector.password_credential, "vector");
  if (vector.password.empty() && vector.kind == "pgvector" && !vector.host.empty())
    vector.password = values.database.password;
  for (const auto& [name, file] : values.environment_files)
    if (file.starts_with('/'))
      values.secret_environment[name] = read.from_file(file, "environment_files." + name);
}

}  // namespace difyd::config
