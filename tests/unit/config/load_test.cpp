#include "difyd/config/load.hpp"

#include "catch.hpp"
#include "difyd/base/text.hpp"
#include "difyd/config/print.hpp"
#include "difyd/config/table.hpp"

using namespace difyd;
using namespace difyd::config;

namespace {

// A world in which every named secret file exists.
surroundings world(std::map<std::string, std::string> files = {}) {
  surroundings w;
  w.read_file = [files](const std::string& path) -> Result<std::string> {
    if (const auto each = files.find(path); each != files.end()) return each->second;
    return fail("file-io", "cannot read " + path + ": No such file or directory");
  };
  return w;
}

outcome read(const std::string& text, std::map<std::string, std::string> files = {}) {
  return parse(text, "/etc/difyd/difyd.yaml", world(std::move(files)));
}

constexpr const char* good = "storage:\n  root: /srv/dify\n";

}  // namespace

TEST_CASE("defaults") {
  const auto result = read(good);
  REQUIRE(result.errors == std::vector<Error>{});
  const settings& s = result.values;
  CHECK(s.project == "dify");
  CHECK_FALSE(s.version);
  CHECK(s.storage.root == "/srv/dify");
  CHECK(s.database.kind == "bundled");
  CHECK(s.database.sslmode == "disable");
  CHECK(s.database.port == 5432);
  CHECK(s.rehearsal == rehearsal_settings{});
  CHECK(s.listen.health == "0.0.0.0:9180");
  CHECK_FALSE(s.listen.status);
  CHECK(s.upgrade.migrate_timeout == duration(0));
  CHECK(s.upgrade.worker_stop_limit == std::chrono::minutes(5));
  CHECK_FALSE(s.profiles);
  CHECK(s.log_level == "info");
}

TEST_CASE("every mistake is one sentence with its place") {
  struct row {
    std::string text, code, message, remedy;
  };
  const std::string root = good;
  const std::string place = "cannot use /etc/difyd/difyd.yaml";
  const row rows[] = {
      {root + "databse:\n  host: x\n", "config-unknown-key", place + ":3:1: unknown key databse",
       "Did you mean database?"},
      {root + "database:\n  hots: x\n", "config-unknown-key", place + ":4:3: unknown key database.hots",
       "Did you mean database.host?"},
      {root + "sslmode: require\n", "config-unknown-key", place + ":3:1: unknown key sslmode",
       "Did you mean database.sslmode?"},
      {root + "database:\n  port: many\n", "config-wrong-type", place + ":4:9: database.port wants a number",
       ""},
      {root + "database:\n  port: 70000\n", "config-out-of-range",
       place + ":4:9: database.port is \"70000\" but must be from 1 to 65535", ""},
      {root + "database: x\n", "config-wrong-type", place + ":3:11: database wants a map of keys", ""},
      {root + "database:\n  kind: externl\n", "config-out-of-range",
       place + ":4:9: database.kind is \"externl\" but must be bundled or external",
       "Did you mean external?"},
      {root + "version: 1.11\n", "config-out-of-range",
       place + ":3:10: version is \"1.11\" but must be a version",
       "Give it as MAJOR.MINOR.PATCH, for example 1.11.4"},
      {root + "upgrade:\n  drain_grace: 30\n", "config-wrong-type",
       place + ":4:16: upgrade.drain_grace wants a duration", "Write it as 90s, 5m or 1h"},
      {root + "upgrade:\n  drain_grace: 11m\n", "config-out-of-range",
       place + ":4:16: upgrade.drain_grace is \"11m\" but must be from 0s to 10m", ""},
      {root + "upgrade:\n  backup: pgdump\n", "config-out-of-range",
       place + ":4:11: upgrade.backup is \"pgdump\" but must be none, pg_dump, cloudsql or command",
       "Did you mean pg_dump?"},
      {root + "upgrade:\n  backup: command\n", "config-missing-key",
       place + ":4:3: upgrade.backup_command is missing: upgrade.backup is command",
       "Give upgrade.backup_command"},
      {root + "releases:\n  source: https://example.com/dify.tgz\n", "config-out-of-range",
       place + ":4:11: releases.source is \"https://example.com/dify.tgz\" but must be an absolute path",
       "What releases are downloaded from is releases.url"},
      {root + "releases:\n  url: https://user:secret@example.com/dify.tgz\n", "config-out-of-range",
       place + ":4:8: releases.url has no {version} in it, which is replaced by the version that is wanted",
       "For example https://github.com/langgenius/dify/archive/refs/tags/{version}.tar.gz"},
      {root + "releases:\n  url: ftp://example.com/{version}\n", "config-out-of-range",
       place + ":4:8: releases.url must begin with http:// or https:// and name a host",
       "For example https://github.com/langgenius/dify/archive/refs/tags/{version}.tar.gz"},
      {root + "releases:\n  proxy: http://proxy.example:3128\n", "config-out-of-range",
       place + ":4:3: releases.proxy needs releases.url", "Give releases.url, or remove it"},
      {root + "releases: {url: \"https://a/{version}\", proxy: proxy.example}\n", "config-out-of-range",
       place + ":3:47: releases.proxy must begin with http://, https:// or socks5h:// and name a host",
       "For example http://proxy.example:3128"},
      {root + "releases:\n  sha256: {1.11.4: 0123}\n", "config-out-of-range",
       place + ":4:20: releases.sha256.1.11.4 must be 64 hexadecimal digits", "sha256sum prints them"},
      {root + "releases:\n  sha256: {latest: 0123}\n", "config-out-of-range",
       place + ":4:12: releases.sha256.latest: this is no version", ""},
      {root + "profiles: weaviate\n", "config-wrong-type", place + ":3:11: profiles wants a list of texts",
       ""},
      {root + "environment:\n  A B: x\n", "config-out-of-range",
       place + ":4:3: \"A B\" below environment is no name of an environment variable", ""},
      {root + "environment:\n  A: [1]\n", "config-wrong-type", place + ":4:6: environment.A wants a text",
       ""},
      {root + "environment:\n  MIGRATION_ENABLED: \"true\"\n", "config-out-of-range",
       place + ":4:3: MIGRATION_ENABLED must not be overridden",
       "Remove it: difyd runs migrations itself, and nothing else may"},
      {root + "environment:\n  DB_HOST: x\n", "config-out-of-range",
       place + ":4:3: DB_HOST must not be overridden", "Use the key database.host"},
      {"project: x\n", "config-missing-key", place + ": storage.root is missing",
       "Add it, for example: storage.root: /srv/dify"},
      {root + "database:\n  password: hunter2\n", "config-out-of-range",
       place + ":4:3: database.password must not be given here",
       "A secret does not belong into this file: put it into a file of mode 0600 and name that as "
       "database.password_file, or as a systemd credential by database.password_credential"},
      {root + "database:\n  password_file: /nowhere\n", "config-secret-missing",
       place + ":4:3: database.password_file names /nowhere: cannot read /nowhere: No such file or directory",
       "Put the secret into that file, readable by difyd only"},
      {root + "rehearsal:\n  user: x\n", "config-missing-key",
       place + ":3:1: rehearsal.host is missing: other keys of rehearsal are given", "Give rehearsal.host"},
      {root + "rehearsal:\n  host: x\n  user: y\n", "config-missing-key",
       place + ":3:1: rehearsal.password_file is missing: rehearsal.host is given",
       "Give rehearsal.password_file"},
      {root + "rehearsal:\n  password: hunter2\n", "config-out-of-range",
       place + ":4:3: rehearsal.password must not be given here",
       "A secret does not belong into this file: put it into a file of mode 0600 and name that as "
       "rehearsal.password_file, or as a systemd credential by rehearsal.password_credential"},
      {root + "database:\n  password_credential: pw\n", "config-secret-missing",
       place + ":4:3: database.password_credential names credential pw: this process got no credentials from "
               "systemd",
       "Add LoadCredential=pw:<file> to difyd.service"},
      {root + "project: Dify\n", "config-out-of-range",
       place + ":3:10: project is \"Dify\" but must be made of lower-case letters, digits, - and _", ""},
      {root + "listen:\n  health: 9180\n", "config-out-of-range",
       place + ":4:11: listen.health is \"9180\" but must be address:port", ""},
      {"storage: {root: /a, kind: nfs, server: x}\n", "config-missing-key",
       place + ":1:1: storage.export is missing: storage.kind is nfs", "Give storage.export"},
      {"storage: {root: /a, server: x}\n", "config-out-of-range",
       place + ":1:21: storage.server and storage.export need storage.kind nfs",
       "Set storage.kind to nfs, or remove them"},
      {"storage: {root: /a, manage: true}\n", "config-out-of-range",
       place + ":1:21: storage.manage, storage.fstype and storage.options need storage.kind nfs or mount",
       "Set storage.kind, or remove them"},
      {"storage: {root: /a, kind: mount, fstype: ext4}\n", "config-missing-key",
       place + ":1:1: storage.source is missing: storage.kind is mount", "Give storage.source"},
      {"storage: {root: /a, kind: nfs, server: x, export: /y, source: /dev/sdb}\n", "config-out-of-range",
       place + ":1:55: storage.source needs storage.kind mount", "Set storage.kind to mount, or remove it"},
      {"storage: {root: /a, kind: nfs, server: x, export: /y, fstype: ext4}\n", "config-out-of-range",
       place + ":1:55: storage.fstype is ext4 while storage.kind is nfs",
       "Use nfs or nfs4, or set storage.kind to mount"},
      {"storage: {root: /a, kind: nfs, server: x, export: /y, options: \"vers=3,soft\"}\n",
       "config-out-of-range", place + ":1:55: storage.options has soft, which loses data silently (nfs(5))",
       "Use hard: difyd does not hang with the share"},
      {"storage: {root: /a, kind: nfs, server: x, export: /y, options: \"a\\nExecStart=b\"}\n",
       "config-out-of-range", place + ":1:55: storage.options has a blank or a backslash in it",
       "Correct it: mounts are written without"},
      {root + "engine: {host: /var/run/docker.sock}\n", "config-out-of-range",
       place + ":3:16: engine.host is \"/var/run/docker.sock\" but must be unix:///path or tcp://host:port",
       "Did you mean unix:///var/run/docker.sock?"},
      {root + "engine: {host: \"10.0.0.1:2375\"}\n", "config-out-of-range",
       place + ":3:16: engine.host is \"10.0.0.1:2375\" but must be unix:///path or tcp://host:port",
       "Did you mean tcp://10.0.0.1:2375?"},
      {root + "releases: {source: bundles}\n", "config-out-of-range",
       place + ":3:20: releases.source is \"bundles\" but must be an absolute path",
       "Begin it with /, for example /var/lib/difyd/bundles"},
      {"storage: {root: srv/dify}\n", "config-out-of-range",
       place + ":1:17: storage.root is \"srv/dify\" but must be an absolute path",
       "Begin it with /, for example /srv/dify"},
      {root + "environment_files: {SECRET_KEY: secret-key}\n", "config-out-of-range",
       place + ":3:21: SECRET_KEY below environment_files is \"secret-key\" but must be an absolute path",
       "Begin it with /, for example /etc/difyd/secret-key"},
      {root + "redis: {kind: external}\n", "config-missing-key",
       place + ":3:1: redis.host is missing: redis.kind is external", "Give redis.host"},
      {root + "storage:\n  root: /b\n", "config-syntax", place + ":3:1: key \"storage\" is given twice", ""},
      {root + "project: &a x\nlog: *a\n", "config-syntax",
       place + ":3:10: anchors and tags are not supported here", ""},
      {"[]\n", "config-syntax", place + ":1:1: it is not a map of keys",
       "Start from the commented reference: difyd config reference"},
      {"a: b\n---\nc: d\n", "config-syntax", place + ":2:1: a second document", ""},
  };
  for (const auto& each : rows) {
    CAPTURE(each.text);
    const auto result = read(each.text);
    REQUIRE(result.errors.size() == 1);
    CHECK(result.errors[0].code == each.code);
    CHECK(result.errors[0].message == each.message);
    CHECK(result.errors[0].remedy == each.remedy);
  }
}

TEST_CASE("engine.host takes what DOCKER_HOST may hold") {
  for (const std::string host :
       {"unix:///run/docker.sock", "tcp://10.0.0.1:2375", "tcp://engine", "tcp://[::1]:2375"}) {
    CAPTURE(host);
    CHECK(read(good + ("engine: {host: \"" + host + "\"}\n")).good());
  }
  for (const std::string host :
       {"unix://run/docker.sock", "unix:///", "ssh://root@vm", "https://vm:2376", "tcp://", "tcp://vm:docker",
        "tcp://vm:70000", "tcp://[::1", "docker.sock", "/"}) {
    CAPTURE(host);
    const auto result = read(good + ("engine: {host: \"" + host + "\"}\n"));
    REQUIRE(result.errors.size() == 1);
    CHECK(result.errors[0].message.find("engine.host is \"" + host) != std::string::npos);
    CHECK_FALSE(result.errors[0].remedy.empty());
  }
}

TEST_CASE("a folder of releases that is not there is a mistake where folders are looked for") {
  auto w = world();
  w.is_folder = [](const std::string& path) { return path == "/there"; };
  const auto at = [&](const std::string& text) { return parse(good + text, "c", w); };
  CHECK(at("releases: {source: /there}\n").good());
  const auto given = at("releases: {source: /nowhere}\n");
  REQUIRE(given.errors.size() == 1);
  CHECK(given.errors[0].code == "config-folder-missing");
  CHECK(given.errors[0].message == "cannot use c:3:12: releases.source is /nowhere, which is no folder");
  CHECK(given.errors[0].remedy == "Make it and unpack a Dify release to /nowhere/dify-<version>");
  CHECK(at("").errors.size() == 1);
  CHECK(at("releases: {source: /nowhere, url: \"https://a/{version}\"}\n").good());  // a download makes it
  CHECK(read(good).good());
  const auto overlay = at("releases: {source: /there, overlay: /nowhere}\n");
  REQUIRE(overlay.errors.size() == 1);
  CHECK(overlay.errors[0].message == "cannot use c:3:28: releases.overlay is /nowhere, which is no folder");
  CHECK(at("releases: {source: /there, overlay: /there}\n").good());
}

TEST_CASE("user and password of a URL are not printed") {
  const auto result = read(good +
                           std::string("releases:\n  url: https://user:secret@a/{version}?token=secret\n"
                                       "  proxy: http://user:secret@proxy:3128\n  sha256: {1.11.4: ") +
                           std::string(64, 'A') + "}\n");
  REQUIRE(result.good());
  CHECK(result.values.releases.url == "https://user:secret@a/{version}?token=secret");
  CHECK(result.values.releases.sha256.at("1.11.4") == std::string(64, 'a'));
  const std::string printed = to_yaml(result.values);
  CHECK_THAT(printed, Catch::Contains("url: \"https://a/{version}\""));
  CHECK_THAT(printed, Catch::Contains("proxy: \"http://proxy:3128\""));
  CHECK_THAT(printed, !Catch::Contains("secret@"));
}

TEST_CASE("broken YAML has a place") {
  for (const std::string text :
       {"a: [1", "a: \"x", "\t- x", "a: b: c", "{", "a:\n  - b\n c: d\n", "%", "\xff\xfe", "a: \x01"}) {
    CAPTURE(text);
    const auto result = read(text);
    REQUIRE(result.errors.size() == 1);
    CHECK(result.errors[0].code == "config-syntax");
    CHECK(result.errors[0].message.starts_with("cannot use /etc/difyd/difyd.yaml:"));
  }
  CHECK(read(std::string(100, '[')).errors.size() == 1);
}

TEST_CASE("all mistakes are found in one run, in file order, and load gives the first") {
  const std::string text =
      "projekt: a\ndatabase:\n  port: x\n  kind: y\nlog:\n  level: loud\nredis:\n  password_file: /nowhere\n";
  const auto result = read(text);
  std::vector<std::string> codes;
  for (const auto& each : result.errors) codes.push_back(each.code);
  CHECK(codes == std::vector<std::string>{"config-missing-key", "config-unknown-key", "config-wrong-type",
                                          "config-out-of-range", "config-out-of-range",
                                          "config-secret-missing"});
  const auto one = load("/c.yaml", world({{"/c.yaml", text}}));
  REQUIRE_FALSE(one);
  CHECK(one.error().message == "cannot use /c.yaml: storage.root is missing");
  CHECK(one.error().remedy.ends_with("There are 5 more mistakes: difyd config check lists all"));
  CHECK(load("/none", world()).error().code == "config-unreadable");
}

TEST_CASE("secrets come from files and credentials, and are never printed") {
  auto w = world({{"/pw", "geheim\n"}, {"/cred/redis", "r3dis"}, {"/sk", "sk-1"}, {"/rpw", "scr4tch"}});
  w.credentials_directory = "/cred";
  w.readable_by_all = [](const std::string& path) { return path == "/pw"; };
  const auto result = parse(
      "storage: {root: /srv/dify}\n"
      "database: {kind: external, host: db, user: dify, password_file: /pw}\n"
      "redis: {kind: external, host: r, password_credential: redis}\n"
      "vector: {kind: pgvector, host: v}\n"
      "rehearsal: {host: scratch, user: r, password_file: /rpw}\n"
      "environment: {S3_SECRET_KEY: hush, TOP_K_MAX_VALUE: 10, A: \"\"}\n"
      "environment_files: {SECRET_KEY: /sk}\n",
      "c", w);
  REQUIRE(result.errors == std::vector<Error>{});
  const settings& s = result.values;
  CHECK(s.database.password.reveal() == "geheim");
  CHECK(s.redis.password.reveal() == "r3dis");
  CHECK(s.vector.password.reveal() == "geheim");
  CHECK(s.vector.user == "dify");
  CHECK(s.vector.database == "dify");
  CHECK(s.vector.port == 5432);
  CHECK(s.database.sslmode == "require");
  CHECK(s.rehearsal.password.reveal() == "scr4tch");
  CHECK(s.rehearsal.port == 5432);
  CHECK(s.rehearsal.sslmode == "require");
  CHECK(s.rehearsal.database == "postgres");
  CHECK(s.secret_environment.at("SECRET_KEY").reveal() == "sk-1");
  REQUIRE(result.warnings.size() == 1);
  CHECK(result.warnings[0] ==
        "/pw (database.password_file) can be read by every user of this machine: chmod 0600 it");
  for (const auto& text : {to_yaml(s), to_json(s)}) {
    CAPTURE(text);
    for (const char* hidden : {"geheim", "r3dis", "sk-1", "scr4tch", "hush"})
      CHECK(text.find(hidden) == std::string::npos);
    CHECK(text.find("\"10\"") != std::string::npos);
    CHECK(text.find("/pw") != std::string::npos);
  }
  auto spaced = w;
  spaced.readable_by_all = {};
  spaced.read_file = [&](const std::string& path) {
    return path == "/pw" ? Result<std::string>("pass word\n") : w.read_file(path);
  };
  const auto warned = parse(to_yaml(s), "again", spaced).warnings;
  REQUIRE(warned.size() == 1);
  CHECK(warned[0].find("database.password has a space in it") == 0);
  // What is printed as YAML is a configuration again.
  const auto again = parse(to_yaml(s), "again", w);
  CHECK(again.errors == std::vector<Error>{});
  CHECK(to_json(again.values) == to_json(s));
}

TEST_CASE("secrets in a configuration that everybody may read are warned of, by name") {
  const auto warnings = [](const std::string& environment, bool open) {
    auto w = world({});
    w.readable_by_all = [open](const std::string& path) { return open && path == "c"; };
    return parse("storage: {root: /srv/dify}\nenvironment: {" + environment + "}\n", "c", w).warnings;
  };
  const std::string both = "SECRET_KEY: hush, SMTP_PASSWORD: geheim, TOP_K_MAX_VALUE: 10";
  const auto told = warnings(both, true);
  REQUIRE(told.size() == 1);
  CHECK(
      told[0] ==
      "c can be read by every user of this machine, and has secrets in it: environment.SECRET_KEY, "
      "environment.SMTP_PASSWORD. Name files of mode 0600 below environment_files instead, or chmod 0640 it");
  CHECK(warnings(both, false).empty());
  CHECK(warnings("TOP_K_MAX_VALUE: 10, SMTP_PASSWORD: \"\", SECRET_KEY_PATH: /run/key", true).empty());
}

TEST_CASE("a server for rehearsals is named with what it takes to reach it") {
  const auto first = [](const std::string& keys) {
    const auto result =
        read(std::string(good) + "rehearsal: {password_file: /pw, " + keys + "}\n", {{"/pw", "x"}});
    return result.errors.empty() ? ""
                                 : result.errors.front().message.substr(
                                       std::string_view("cannot use /etc/difyd/difyd.yaml:3:1: ").size());
  };
  CHECK(first("host: x, user: y") == "");
  CHECK(first("host: x") == "rehearsal.user is missing: rehearsal.host is given");
  CHECK(first("user: y") == "rehearsal.host is missing: other keys of rehearsal are given");
  CHECK(first("host: x, user: y, sslmode: verify-full") ==
        "rehearsal.ca_file is missing: rehearsal.sslmode is verify-full");
  CHECK(first("host: x, user: y, sslmode: verify-full, ca_file: /ca") == "");
}

TEST_CASE("a file that is written has what is not the default, and overrides as they are") {
  CHECK(to_file(defaults()) == "");
  settings s = defaults();
  s.storage.root = "/srv/dify";
  s.project = "docker";
  s.database.port = 5433;
  s.profiles = text_list{};
  s.environment = {{"A", "x: \"y\"\n# z"}, {"SANDBOX_API_KEY", ""}};
  const auto text = to_file(s);
  CHECK(text ==
        "project: \"docker\"\nprofiles: []\nstorage:\n  root: \"/srv/dify\"\ndatabase:\n  port: 5433\n"
        "environment:\n  A: \"x: \\\"y\\\"\\n# z\"\n  SANDBOX_API_KEY: \"\"\n");
  CHECK(read(text).values.environment == s.environment);
  CHECK(may_override("SECRET_KEY"));
  CHECK_FALSE(may_override("MIGRATION_ENABLED"));
  CHECK_FALSE(may_override("DB_HOST"));
}

TEST_CASE("which variables hold secrets") {
  for (const char* name : {"SECRET_KEY", "DB_PASSWORD", "CELERY_BROKER_URL", "PLUGIN_DAEMON_KEY",
                           "API_SENTRY_DSN", "SANDBOX_API_KEY", "PASSWORD_PEPPER", "SMTP_PASSWORD",
                           "HF_TOKEN", "ORACLE_PWD", "AZURE_BLOB_CONNECTION_STRING"})
    CHECK(names_secret(name));
  for (const char* name : {"DB_HOST", "TOP_K_MAX_VALUE", "REDIS_KEY_PREFIX", "KEYBOARD", "COMPOSE_PROFILES",
                           "FILES_URL", "ACCESS_TOKEN_EXPIRE_MINUTES", "EMAIL_REGISTER_TOKEN_EXPIRY_MINUTES",
                           "PLUGIN_BASED_TOKEN_COUNTING_ENABLED"})
    CHECK_FALSE(names_secret(name));
}
