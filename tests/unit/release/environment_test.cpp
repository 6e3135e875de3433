#include "difyd/release/environment.hpp"

#include <random>

#include "catch.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/config/load.hpp"

using namespace difyd;
using namespace difyd::release;

namespace {

config::settings settings_of(const std::string& yaml) {
  config::surroundings world;
  world.read_file = [](const std::string& path) -> Result<std::string> { return path.substr(1); };
  auto result = config::parse("storage: {root: /srv/dify}\n" + yaml, "test", world);
  INFO(yaml);
  REQUIRE(result.errors == std::vector<Error>{});
  return result.values;
}

constexpr const char* example =
    "# Dify\n"
    "\n"
    "SECRET_KEY=sk-public\n"
    "MIGRATION_ENABLED=true\n"
    "DB_TYPE=postgresql\n"
    "DB_USERNAME=postgres\n"
    "DB_PASSWORD=difyai123456\n"
    "DB_HOST=db_postgres\n"
    "DB_PORT=5432\n"
    "REDIS_HOST=redis\n"
    "REDIS_PASSWORD=difyai123456\n"
    "CELERY_BROKER_URL=redis://:difyai123456@redis:6379/1\n"
    "VECTOR_STORE=weaviate\n"
    "POSTGRES_PASSWORD=${DB_PASSWORD}\n"
    "LOG_DATEFORMAT=%Y-%m-%d %H:%M:%S\n"
    "COMPOSE_PROFILES=${VECTOR_STORE:-weaviate},${DB_TYPE:-postgresql},collaboration\n"
    "EXPOSE_NGINX_PORT=80\n";

effective_environment derive(const std::string& yaml, std::optional<std::string> in_force = {}) {
  auto result = derive_environment(example, settings_of(yaml), in_force);
  if (!result) FAIL(result.error().message);
  return *result;
}

}  // namespace

TEST_CASE("values are read back exactly, whatever they hold") {
  const std::vector<std::string> rows = {
      "",       "a",     " a",    "a ",    "a #b",  "#a",    "a'b", "a\"b",     "$A",    "${A}",
      "$$",     "a\\",   "\\'",   "a\\'b", "\\\\",  "\\\\'", "'",   "\"",       "a\nb",  "a\r\nb",
      "a\n'b'", "\\n",   "\t",    "a=b",   "a:b",   "\\$A",  "'\\", "\n",       "\r",    "'a'",
      "\"a\"",  "a\\\"", "%Y %H", "äöü €", "\\a\\", "=",     "`x`", "a\\\\'\\", "'$A'\\"};
  for (const auto& value : rows) {
    const std::string line = assignment("KEY", value);
    CAPTURE(value, line);
    const auto read = read_environment("A=wrong\n" + line + "\nNEXT=1\n");
    REQUIRE(read);
    CHECK(read->at("KEY") == value);
    CHECK(read->at("NEXT") == "1");
  }
}

TEST_CASE("random values are read back exactly") {
  std::mt19937 random(20261120);
  static constexpr std::string_view letters = "ab '\"\\$#{}=:\n\r\t`%-_nrt0!";
  for (int round = 0; round < 40; ++round) {
    std::string text;
    text_map wanted;
    for (int key = 0; key < 25; ++key) {
      std::string value;
      for (std::size_t length = random() % 12; length > 0; --length)
        value += letters[random() % letters.size()];
      const std::string name = "K" + std::to_string(key);
      text += assignment(name, value) + "\n";
      wanted[name] = value;
    }
    const auto read = read_environment(text);
    CAPTURE(text);
    REQUIRE(read);
    REQUIRE(*read == wanted);
  }
}

TEST_CASE("everything bundled: the release's own values but migrations") {
  const auto result = derive("");
  CHECK(result.values.at("MIGRATION_ENABLED") == "false");
  CHECK(result.values.at("DB_HOST") == "db_postgres");
  CHECK(result.values.at("DB_PASSWORD") == "difyai123456");
  CHECK(result.values.at("POSTGRES_PASSWORD") == "difyai123456");
  CHECK(result.values.at("COMPOSE_PROFILES") == "weaviate,postgresql,collaboration");
  CHECK(result.text.starts_with(
      "# Dify\n\nSECRET_KEY=sk-public\nMIGRATION_ENABLED=false\nDB_TYPE=postgresql\n"));
  CHECK(result.text.ends_with(
      "EXPOSE_NGINX_PORT=80\n\n# Added by difyd.\nDB_DATABASE=dify\nDB_PLUGIN_DATABASE=dify_plugin\n"));
  REQUIRE(result.warnings.size() == 1);
  CHECK(result.warnings[0].starts_with("SECRET_KEY is the release's public default"));
}

TEST_CASE("external servers") {
  const auto result = derive(
      "database: {kind: external, host: 10.0.0.3, user: dify, password_file: \"/p'w $1\", sslmode: require}\n"
      "vector: {kind: pgvector, host: 10.0.0.4, password_file: /v}\n"
      "redis: {kind: external, host: r, port: 6380, user: u, password_file: \"/a/b@c\", tls: true, db: 2, "
      "broker_db: 3}\n"
      "environment: {EXPOSE_NGINX_PORT: \"8080\", NEW: x y}\n"
      "environment_files: {SECRET_KEY: /sk-own}\n");
  const text_map& v = result.values;
  CHECK(v.at("DB_HOST") == "10.0.0.3");
  CHECK(v.at("DB_PASSWORD") == "p'w $1");
  CHECK(v.at("POSTGRES_PASSWORD") == "p'w $1");
  CHECK(v.at("DB_SSL_MODE") == "require");
  CHECK(v.at("VECTOR_STORE") == "pgvector");
  CHECK(v.at("PGVECTOR_HOST") == "10.0.0.4");
  CHECK(v.at("PGVECTOR_USER") == "dify");
  CHECK(v.at("PGVECTOR_PASSWORD") == "v");
  CHECK(v.at("COMPOSE_PROFILES") == "collaboration");
  CHECK(v.at("REDIS_PASSWORD") == "a/b@c");
  CHECK(v.at("CELERY_BROKER_URL") == "rediss://u:a%2Fb%40c@r:6380/3");
  CHECK(v.at("REDIS_USE_SSL") == "true");
  CHECK(v.at("EXPOSE_NGINX_PORT") == "8080");
  CHECK(v.at("NEW") == "x y");
  CHECK(v.at("SECRET_KEY") == "sk-own");
  CHECK(result.warnings.empty());
}

TEST_CASE("profiles are the operator's where given") {
  CHECK(derive("profiles: []").values.at("COMPOSE_PROFILES").empty());
  CHECK(derive("profiles: [a, b]").values.at("COMPOSE_PROFILES") == "a,b");
}

TEST_CASE("what must not change silently is carried forward") {
  const std::string old =
      "SECRET_KEY='sk old'\nDB_PASSWORD=changed\nDB_HOST=db\nSANDBOX_API_KEY=s\nEXPOSE_NGINX_PORT=81\n";
  const auto result = derive("", old);
  CHECK(result.values.at("SECRET_KEY") == "sk old");
  CHECK(result.values.at("DB_PASSWORD") == "changed");
  CHECK(result.values.at("SANDBOX_API_KEY") == "s");
  CHECK(result.values.at("DB_HOST") == "db_postgres");
  CHECK(result.values.at("EXPOSE_NGINX_PORT") == "80");
  CHECK(result.carried == std::vector<std::string>{"DB_PASSWORD", "SANDBOX_API_KEY", "SECRET_KEY"});
  const auto own = derive("environment_files: {SECRET_KEY: /sk-own}", old);
  CHECK(own.values.at("SECRET_KEY") == "sk-own");
  CHECK(own.carried == std::vector<std::string>{"DB_PASSWORD", "SANDBOX_API_KEY"});
  // Deriving again from what was derived changes nothing.
  CHECK(derive("", result.text).text == result.text);
  CHECK(derive("", result.text).hash == result.hash);
}

TEST_CASE("what the stack cannot take is refused") {
  const auto mysql = derive_environment(example, settings_of("environment: {DB_TYPE: mysql}"), {});
  REQUIRE_FALSE(mysql);
  CHECK(mysql.error().code == "database-unsupported");
  CHECK(mysql.error().message == "cannot use DB_TYPE mysql: difyd supports PostgreSQL only");
  const auto redis = derive_environment(example, settings_of("redis: {password_file: \"/a b\"}"), {});
  REQUIRE_FALSE(redis);
  CHECK(redis.error().code == "environment-value");
  CHECK(redis.error().message.find("a b") == std::string::npos);
  const auto broken = derive_environment("A=\"x\n", settings_of(""), {});
  REQUIRE_FALSE(broken);
  CHECK(broken.error().code == "environment-invalid");
}

TEST_CASE("whose the secret key is") {
  struct row {
    text_map values;
    secret_key whose;
  };
  const row rows[] = {
      {{{"SECRET_KEY", "mine"}}, secret_key::own},
      {{{"SECRET_KEY", "sk-public"}}, secret_key::published},
      {{{"SECRET_KEY", "sk-9f73s3ljTXVcMT3Blb3ljTqtsKiGHXVcMT3BlbkFJLK7U"}}, secret_key::published},
      {{{"SECRET_KEY", ""}}, secret_key::empty},
      {{}, secret_key::empty}};
  for (const auto& each : rows) {
    CHECK(judge_secret_key(each.values, {{"SECRET_KEY", "sk-public"}}) == each.whose);
    if (each.whose == secret_key::own) CHECK(judge_secret_key(each.values, {}) == secret_key::own);
  }
}
