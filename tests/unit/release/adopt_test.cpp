#include "difyd/release/adopt.hpp"

#include "catch.hpp"
#include "difyd/config/print.hpp"
#include "difyd/config/table.hpp"

using namespace difyd;
using namespace difyd::release;

namespace {

constexpr const char* example =
    "SECRET_KEY=sk-published\nDB_TYPE=postgresql\nDB_HOST=db_postgres\nDB_PORT=5432\nDB_USERNAME=postgres\n"
    "DB_PASSWORD=difyai123456\nDB_DATABASE=dify\nDB_PLUGIN_DATABASE=dify_plugin\nDB_SSL_MODE=disable\n"
    "POSTGRES_PASSWORD=${DB_PASSWORD}\n"
    "REDIS_HOST=redis\nREDIS_PORT=6379\nREDIS_USERNAME=\nREDIS_PASSWORD=difyai123456\nREDIS_USE_SSL=false\n"
    "REDIS_DB=0\nCELERY_BROKER_URL=redis://:difyai123456@redis:6379/1\nBROKER_USE_SSL=false\n"
    "VECTOR_STORE=weaviate\nPGVECTOR_HOST=pgvector\nPGVECTOR_PORT=5432\nPGVECTOR_USER=postgres\n"
    "PGVECTOR_PASSWORD=difyai123456\nPGVECTOR_DATABASE=dify\nCONSOLE_WEB_URL=\nHTTP_PROXY=\nMIGRATION_"
    "ENABLED=true\n"
    "EXPOSE_NGINX_PORT=80\nSANDBOX_API_KEY=dify-sandbox\n"
    "COMPOSE_PROFILES=${VECTOR_STORE:-weaviate},${DB_TYPE:-postgresql}\n";

adoption_facts facts(const text_map& environment) {
  adoption_facts f;
  f.base = config::defaults();
  f.base.storage.root = "/opt/dify/docker/volumes";
  f.base.version = *parse_version("1.11.4");
  f.secrets = "/etc/difyd/secrets";
  f.env_example = example;
  f.services = {"api", "db_postgres", "redis", "weaviate", "pgvector"};
  f.own_services = f.services;
  f.environment = *read_environment(example);
  for (const auto& [key, value] : environment) f.environment[key] = value;
  return f;
}

adoption adopted(const adoption_facts& given) {
  auto out = adopt(given);
  if (!out) FAIL(sentence(out.error()));
  return std::move(*out);
}

// Every key has the value that it had, or the report names it.
void check_round_trip(const adoption_facts& given, const adoption& out) {
  const auto settings = read_back(out.made, {});
  REQUIRE(settings);
  const auto now = derive_environment(given.env_example, *settings, std::nullopt);
  REQUIRE(now);
  for (const auto& [key, value] : given.environment) {
    CAPTURE(key, value);
    const auto is = now->values.find(key);
    const bool same = is != now->values.end() && is->second == value;
    const bool named =
        std::ranges::find(out.report.changed, key, &changed_key::key) != out.report.changed.end();
    const bool obsolete = std::ranges::find(out.report.obsolete, key) != out.report.obsolete.end();
    CHECK((same || named || obsolete));
    CHECK_FALSE((same && named));
  }
}

std::string file(const adoption& out, const std::string& path) {
  const auto found = std::ranges::find(out.made.files, "/etc/difyd/secrets/" + path, &secret_file::path);
  return found == out.made.files.end() ? "(none)" : found->value.reveal();
}

std::string yaml(const adoption& out) { return config::to_file(out.made.settings); }

using names = std::vector<std::string>;

}  // namespace

TEST_CASE("an installation as published needs next to nothing but its key, which no default may replace") {
  const auto f = facts({});
  const auto out = adopted(f);
  check_round_trip(f, out);
  CHECK(yaml(out) ==
        "version: \"1.11.4\"\nstorage:\n  root: \"/opt/dify/docker/volumes\"\n"
        "environment_files:\n  SECRET_KEY: \"/etc/difyd/secrets/SECRET_KEY\"\n");
  REQUIRE(out.made.files.size() == 1);
  CHECK(file(out, "SECRET_KEY") == "sk-published");
  REQUIRE(out.report.changed.size() == 1);
  CHECK(out.report.changed[0] == changed_key{"MIGRATION_ENABLED", "true", "false",
                                             "difyd runs migrations itself, once, before anything starts"});
  // SECRET_KEY and passwords are what everybody can read.
  REQUIRE(out.report.decide.size() == 2);
  CHECK(out.report.decide[1] ==
        "still the release's public default: DB_PASSWORD REDIS_PASSWORD SANDBOX_API_KEY");
}

TEST_CASE("what differs becomes overrides, secrets become files, and neither is told") {
  const auto f = facts({{"SECRET_KEY", "sk-own"},
                        {"CONSOLE_WEB_URL", "https://dify.example # x"},
                        {"HTTP_PROXY", "http://me:hush@proxy:3128"},
                        {"EXPOSE_NGINX_PORT", "8080"},
                        {"SANDBOX_API_KEY", ""},
                        {"MY_OWN", "on"},
                        {"DB_PASSWORD", "geheim"},
                        {"POSTGRES_PASSWORD", "geheim"},
                        {"REDIS_PASSWORD", "r3dis"},
                        {"CELERY_BROKER_URL", "redis://:r3dis@redis:6379/1"}});
  const auto out = adopted(f);
  check_round_trip(f, out);
  CHECK(out.report.overrides == names{"CONSOLE_WEB_URL", "EXPOSE_NGINX_PORT", "MY_OWN", "SANDBOX_API_KEY"});
  CHECK(out.report.secrets == names{"HTTP_PROXY", "SECRET_KEY"});
  CHECK(out.report.unknown == names{"MY_OWN"});
  CHECK(file(out, "SECRET_KEY") == "sk-own");
  CHECK(file(out, "HTTP_PROXY") == "http://me:hush@proxy:3128");
  CHECK(file(out, "database.password") == "geheim");
  CHECK(file(out, "redis.password") == "r3dis");
  CHECK(out.made.files.size() == 4);
  std::string said = yaml(out);
  for (const auto& each : out.report.decide) said += each;
  for (const auto& each : out.report.changed) said += each.before + each.now + each.why;
  for (const char* hidden : {"sk-own", "hush", "geheim", "r3dis"})
    CHECK(said.find(hidden) == std::string::npos);
}

TEST_CASE("the Terraform deployment: Cloud SQL, pgvector on another instance, a Redis of its own") {
  auto f = facts({{"SECRET_KEY", "sk-own"},
                  {"DB_HOST", "10.30.0.3"},
                  {"DB_USERNAME", "dify"},
                  {"DB_PASSWORD", "pa'ss$w0rd\\"},
                  {"POSTGRES_PASSWORD", "pa'ss$w0rd\\"},
                  {"VECTOR_STORE", "pgvector"},
                  {"PGVECTOR_HOST", "10.30.0.4"},
                  {"PGVECTOR_USER", "dify"},
                  {"PGVECTOR_PASSWORD", "vec"},
                  {"PGVECTOR_DATABASE", "dify_vector"},
                  {"REDIS_HOST", "10.40.0.3"},
                  {"REDIS_USE_SSL", "True"},
                  {"REDIS_PORT", "6378"},
                  {"REDIS_PASSWORD", "red"},
                  {"BROKER_USE_SSL", "true"},
                  {"CELERY_BROKER_URL", "rediss://:red@10.40.0.3:6378/3"},
                  {"COMPOSE_PROFILES", ""}});
  f.base.storage.kind = "nfs";
  f.base.storage.server = "10.20.0.2";
  f.base.storage.export_path = "/share";
  const auto out = adopted(f);
  check_round_trip(f, out);
  CHECK(yaml(out) ==
        "version: \"1.11.4\"\n"
        "storage:\n  root: \"/opt/dify/docker/volumes\"\n  kind: \"nfs\"\n  server: \"10.20.0.2\"\n"
        "  export: \"/share\"\n"
        "database:\n  kind: \"external\"\n  host: \"10.30.0.3\"\n  user: \"dify\"\n"
        "  password_file: \"/etc/difyd/secrets/database.password\"\n  sslmode: \"disable\"\n"
        "vector:\n  kind: \"pgvector\"\n  host: \"10.30.0.4\"\n"
        "  password_file: \"/etc/difyd/secrets/vector.password\"\n  database: \"dify_vector\"\n"
        "redis:\n  kind: \"external\"\n  host: \"10.40.0.3\"\n  port: 6378\n"
        "  password_file: \"/etc/difyd/secrets/redis.password\"\n  tls: true\n  broker_db: 3\n"
        "environment_files:\n  SECRET_KEY: \"/etc/difyd/secrets/SECRET_KEY\"\n");
  CHECK(file(out, "database.password") == "pa'ss$w0rd\\");
  CHECK(out.report.overrides.empty());
  names changed;
  for (const auto& each : out.report.changed) changed.push_back(each.key + "=" + each.now);
  CHECK(changed == names{"MIGRATION_ENABLED=false", "REDIS_USE_SSL=true"});
}

TEST_CASE("a broker whose password is written otherwise is kept as it is") {
  const auto f = facts({{"REDIS_HOST", "10.40.0.3"},
                        {"REDIS_PASSWORD", "a/b"},
                        {"CELERY_BROKER_URL", "redis://:a/b@10.40.0.3:6379/1"}});
  const auto out = adopted(f);
  check_round_trip(f, out);
  CHECK(out.report.secrets == names{"CELERY_BROKER_URL", "SECRET_KEY"});
}

TEST_CASE("keys of the stack's own Redis and database that difyd has none for are named") {
  const auto f = facts({{"REDIS_DB", "2"}, {"DB_PORT", "5433"}});
  const auto out = adopted(f);
  check_round_trip(f, out);
  names changed;
  for (const auto& each : out.report.changed)
    changed.push_back(each.key + ": " + each.before + " -> " + each.now);
  CHECK(changed == names{"DB_PORT: 5433 -> 5432", "MIGRATION_ENABLED: true -> false", "REDIS_DB: 2 -> 0"});
}

TEST_CASE("profiles") {
  const auto profiles = [](const char* given) {
    const auto f = facts({{"COMPOSE_PROFILES", given}});
    const auto out = adopted(f);
    check_round_trip(f, out);
    return out.made.settings.profiles;
  };
  CHECK_FALSE(profiles("weaviate,postgresql"));
  CHECK_FALSE(profiles("postgresql, weaviate"));
  CHECK_FALSE(profiles("weaviate"));  // of before 1.10.1: its own database would not start
  CHECK(profiles("weaviate,postgresql,certbot") == names{"weaviate", "postgresql", "certbot"});
  CHECK(profiles("") == names{"postgresql"});
}

TEST_CASE("a service's name of another release") {
  auto f = facts({{"DB_HOST", "db"}});
  auto out = adopted(f);
  check_round_trip(f, out);
  CHECK(out.made.settings.database.kind == "bundled");
  CHECK(out.report.changed[0] ==
        changed_key{"DB_HOST", "db", "db_postgres", "the release has no service of that name"});
  f = facts({{"DB_HOST", "mine"}, {"DB_PASSWORD", "x"}});
  f.own_services.insert("mine");
  out = adopted(f);
  CHECK(out.made.settings.database.host == "mine");
  CHECK(out.report.decide[0].starts_with("DB_HOST is mine, a service of this folder's own compose file"));
}

TEST_CASE("keys of other releases do nothing, or go to every container") {
  auto f = facts({{"OLD_THING", "1"}, {"ENVS_THING", "2"}});
  f.known_elsewhere = {"OLD_THING"};
  f.named = {"ENVS_THING"};
  auto out = adopted(f);
  check_round_trip(f, out);
  CHECK(out.report.obsolete == names{"OLD_THING"});
  CHECK(out.report.overrides == names{"ENVS_THING"});
  CHECK(out.report.unknown.empty());
  f.whole_env = true;
  CHECK(adopted(f).report.overrides == names{"ENVS_THING", "OLD_THING"});
}

TEST_CASE("SECRET_KEY that the api keeps itself, and the port of an own compose file") {
  auto f = facts({{"SECRET_KEY", ""}});
  f.stored_secret_key = "from the storage";
  f.published_port = "5001";
  f.given_to_api = {{"SECRET_KEY", ""}, {"EXPOSE_NGINX_PORT", "80"}};  // the whole .env, as it is
  f.environment.erase("CONSOLE_WEB_URL");
  const auto out = adopted(f);
  check_round_trip(f, out);
  CHECK(file(out, "SECRET_KEY") == "from the storage");
  CHECK(out.made.settings.environment.at("EXPOSE_NGINX_PORT") == "5001");
  CHECK(out.report.changed[0] ==
        changed_key{"EXPOSE_NGINX_PORT", "80", "5001", "the port that its compose file publishes"});
  CHECK(out.report.changed[2].now == "(secret)");
  CHECK(out.report.defaulted == names{"CONSOLE_WEB_URL"});
}

TEST_CASE("what a compose file gives the api counts more than the .env") {
  auto f = facts({{"DB_HOST", "db_postgres"}, {"CONSOLE_WEB_URL", "https://a"}});
  f.given_to_api = {
      {"DB_HOST", "10.0.0.3"}, {"DB_PASSWORD", "geheim"}, {"CONSOLE_WEB_URL", "https://a"}, {"MODE", "api"}};
  const auto out = adopted(f);
  check_round_trip(f, out);
  CHECK(out.made.settings.database.host == "10.0.0.3");
  CHECK(file(out, "database.password") == "geheim");
  CHECK(out.report.changed[0] ==
        changed_key{"DB_HOST", "db_postgres", "10.0.0.3", "what its compose file gives the api"});
  CHECK(out.report.changed[1].now == "(secret)");
  CHECK_FALSE(out.made.settings.environment.contains("MODE"));
  f = facts({{"SECRET_KEY", ""}});
  f.given_to_api = {{"SECRET_KEY", "from the file"}};
  f.stored_secret_key = "not used";
  CHECK(file(adopted(f), "SECRET_KEY") == "from the file");
}

TEST_CASE("what cannot be adopted says why") {
  const auto code = [](const text_map& environment) {
    const auto out = adopt(facts(environment));
    return out ? std::string("adopted") : out.error().code;
  };
  CHECK(code({{"DB_TYPE", "mysql"}}) == "database-unsupported");
  CHECK(code({{"DB_HOST", "10.0.0.3"}, {"DB_PASSWORD", ""}}) == "config-missing-key");
  CHECK(code({{"DB_HOST", "10.0.0.3"}, {"DB_PORT", "x"}}) == "environment-value");
  CHECK(code({{"REDIS_PASSWORD", "a b"}}) == "environment-value");
  CHECK(code({{"DB_PLUGIN_DATABASE", "dify"}}) == "config-out-of-range");
}

TEST_CASE("values that YAML or a file cannot hold are named") {
  const auto f = facts({{"HTTP_PROXY", std::string("a\xff") + "b"}, {"SECRET_KEY", "line\n"}, {"A.B", "1"}});
  const auto out = adopted(f);
  check_round_trip(f, out);
  CHECK(out.report.changed.size() == 4);
  CHECK(out.report.unknown.empty());
  CHECK(out.made.files.empty());
}

TEST_CASE("the version of an installation") {
  const auto said = [](std::map<std::string, std::string> images) {
    compose::project project;
    for (const auto& [name, image] : images) project.services[name].image = image;
    const auto found = version_of(project);
    return found ? found->text() : found.error().message;
  };
  CHECK(said({{"api", "langgenius/dify-api:1.11.4"},
              {"web", "langgenius/dify-web:1.11.4"},
              {"redis", "redis:6"}}) == "1.11.4");
  CHECK(said({{"api", "registry:5000/own/api:1.11.4@sha256:0123"}}) == "1.11.4");
  CHECK(said({{"api", "langgenius/dify-api:latest"}}) ==
        "cannot tell the version: the image of api langgenius/dify-api:latest names none");
  CHECK(said({{"api", "registry:5000/dify-api"}}) ==
        "cannot tell the version: the image of api registry:5000/dify-api names none");
  CHECK(said({{"api", "langgenius/dify-api:1.11.4"}, {"web", "langgenius/dify-web:1.11.3"}}) ==
        "cannot tell the version: the images are of several: api langgenius/dify-api:1.11.4, web "
        "langgenius/dify-web:1.11.3");
  CHECK(said({{"redis", "redis:6"}}) == "cannot tell the version: there is no service api or web");
}

TEST_CASE("what is compared with what runs so far") {
  compose::project before, after;
  before.working_dir = "/opt/dify/docker";
  after.working_dir = "/var/lib/difyd/releases/dify-1.11.4/docker";
  const auto add = [](compose::project& to, const std::string& name,
                      const std::string& image) -> compose::service& {
    auto& made = to.services[name];
    made.name = name;
    made.image = image;
    return made;
  };
  for (auto* each : {&before, &after}) {
    add(*each, "web", "web:1");
    auto& api = add(*each, "api", "api:1");
    auto& mount = api.volumes.emplace_back();
    mount.type = "bind";
    mount.source = each->working_dir + "/volumes/app/storage";
    mount.target = "/app/api/storage";
    auto& port = add(*each, "nginx", "nginx:latest").ports.emplace_back();
    port.target = 80;
    port.published = "80";
  }
  before.services["nginx"].ports[0].published = "8080";
  before.services["api"].image = "mine/api:1";
  before.services["api"].environment["MIGRATION_ENABLED"] = "true";
  before.services["api"].environment["OTHER"] = "x";
  before.services["api"].environment["EMPTY"] = "";
  add(before, "extra", "x");
  add(after, "worker", "api:1");
  CHECK(storage_of(before) == "/opt/dify/docker/volumes");
  CHECK(published_port(before) == "8080");
  before.services["nginx"].ports[0].host_ip = "127.0.0.1";
  CHECK(published_port(before) == "127.0.0.1:8080");
  const auto result = compare(before, after, {"MIGRATION_ENABLED"});
  std::string text;
  for (const auto& each : result.differences) {
    text += each.service + ":";
    for (const auto* list : {&each.what, &each.environment})
      for (const auto& one : *list) text += " " + one;
    text += "\n";
  }
  CHECK(text ==
        "api: image mine/api:1 -> api:1 OTHER\nnginx: ports\nworker: did not run so far\n"
        "extra: not in the release\n");
  CHECK(result.made_anew == names{"api", "nginx"});
  CHECK(result.stay == names{"web"});
}
