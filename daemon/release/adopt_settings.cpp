#include "adopt_settings.hpp"

#include <algorithm>
#include <charconv>

#include "difyd/base/text.hpp"

namespace difyd::release {
namespace {

const std::string* find(const text_map& map, std::string_view key) {
  const auto each = map.find(key);
  return each == map.end() ? nullptr : &each->second;
}

bool truth(const std::string& text) {
  const std::string lower = to_lower(text);
  return lower == "true" || lower == "1" || lower == "yes" || lower == "on";
}

std::vector<std::string> profiles_in(const std::string& text) {
  std::vector<std::string> found;
  for (const auto& each : split(text, ','))
    if (const auto name = trim(each); !name.empty()) found.emplace_back(name);
  return found;
}

class reading {
 public:
  reading(const adoption_facts& facts, const text_map& published, adoption& into)
      : facts_(facts),
        published_(published),
        made_(into.made),
        to_(into.made.settings),
        report_(into.report) {}

  Result<> run() {
    if (auto done = database(); !done) return done;
    if (auto done = vector(); !done) return done;
    return redis();
  }

 private:
  std::string value(std::string_view key) const {
    if (const auto* given = find(facts_.environment, key)) return *given;
    const auto* usual = find(published_, key);
    return usual ? *usual : std::string();
  }

  // Empty where it is what the release publishes.
  std::string own(std::string_view key) const {
    const auto* usual = find(published_, key);
    const std::string given = value(key);
    return usual && *usual == given ? std::string() : given;
  }

  Result<int> number(std::string_view key, int otherwise) const {
    const std::string text = value(key);
    if (text.empty()) return otherwise;
    int parsed = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
    if (error == std::errc() && end == text.data() + text.size()) return parsed;
    return fail("environment-value", "cannot use " + std::string(key) + ": it is no number",
                "Correct it in the .env");
  }

  void keep(std::string& file, config::secret& slot, const char* name, const std::string& value) {
    file = made_.keep(name, value);
    slot = config::secret(value);
  }

  // The release's own container, under whichever name it had.
  bool of_the_release(const std::string& host, const name_set& former) const {
    return host.empty() || facts_.services.contains(host) || former.contains(host);
  }

  void look_at_own_service(const std::string& host, const char* key) {
    if (facts_.own_services.contains(host))
      report_.decide.push_back(std::string(key) + " is " + host +
                               ", a service of this folder's own compose file, which the release does not "
                               "have: difyd will not start it");
  }

  Result<> database() {
    const std::string type = value("DB_TYPE");
    if (!type.empty() && type != "postgresql")
      return fail("database-unsupported",
                  "cannot adopt DB_TYPE " + type + ": difyd supports PostgreSQL only");
    auto& db = to_.database;
    if (const auto name = value("DB_DATABASE"); !name.empty()) db.main = name;
    if (const auto name = value("DB_PLUGIN_DATABASE"); !name.empty()) db.plugin = name;
    const std::string host = value("DB_HOST");
    const std::string password = own("DB_PASSWORD");
    if (of_the_release(host, {"db", "db_postgres"})) {
      if (facts_.services.contains(host)) db.host = own("DB_HOST");
      db.user = own("DB_USERNAME");
      if (!password.empty()) keep(db.password_file, db.password, "database.password", password);
      return {};
    }
    look_at_own_service(host, "DB_HOST");
    const auto port = number("DB_PORT", db.port);
    if (!port) return fail(port.error());
    db.kind = "external";
    db.host = host;
    db.port = *port;
    db.user = value("DB_USERNAME");
    if (const auto secret = value("DB_PASSWORD"); !secret.empty())
      keep(db.password_file, db.password, "database.password", secret);
    read_sslmode();
    return {};
  }

  // verify-ca and verify-full need the authority's certificate, which no .env names.
  void read_sslmode() {
    auto& mode = to_.database.sslmode;
    mode = value("DB_SSL_MODE");
    if (mode.empty()) mode = "disable";
    if (mode.starts_with("verify-")) {
      report_.decide.push_back(
          "DB_SSL_MODE is " + mode +
          ": set database.sslmode to it and database.ca_file "
          "to the authority's certificate; until then difyd encrypts and verifies nothing");
      mode = "require";
    } else if (mode == "disable") {
      report_.decide.push_back(
          "connections to the database are not encrypted, as so far (DB_SSL_MODE): set database.sslmode to "
          "require where the server can");
    }
  }

  Result<> vector() {
    auto& to = to_.vector;
    if (const auto kind = value("VECTOR_STORE"); !kind.empty()) to.kind = kind;
    if (to.kind != "pgvector") return {};
    const std::string host = value("PGVECTOR_HOST"), password = value("PGVECTOR_PASSWORD");
    if (of_the_release(host, {})) {
      if (!own("PGVECTOR_PASSWORD").empty()) keep(to.password_file, to.password, "vector.password", password);
      return {};
    }
    look_at_own_service(host, "PGVECTOR_HOST");
    const auto port = number("PGVECTOR_PORT", 5432);
    if (!port) return fail(port.error());
    to.host = host;
    if (*port != 5432) to.port = *port;
    if (const auto user = value("PGVECTOR_USER"); user != to_.database.user) to.user = user;
    if (const auto name = value("PGVECTOR_DATABASE"); name != to_.database.main) to.database = name;
    if (!password.empty() && password != to_.database.password.reveal())
      keep(to.password_file, to.password, "vector.password", password);
    return {};
  }

  // redis://:password@host:port/1
  int broker_db(int otherwise) const {
    const std::string url = value("CELERY_BROKER_URL");
    const std::string last = url.substr(url.rfind('/') + 1);
    int parsed = 0;
    const auto [end, error] = std::from_chars(last.data(), last.data() + last.size(), parsed);
    const bool good = error == std::errc() && end == last.data() + last.size() && parsed >= 0 && parsed <= 15;
    return good ? parsed : otherwise;
  }

  Result<> redis() {
    auto& to = to_.redis;
    const std::string host = value("REDIS_HOST");
    if (truth(value("REDIS_USE_SENTINEL")) || truth(value("REDIS_USE_CLUSTERS")))
      report_.decide.push_back(
          "Redis is a cluster or behind Sentinel, which difyd does not know: it hands these keys to Dify and "
          "itself looks at redis.host only");
    to.broker_db = broker_db(to.broker_db);
    if (of_the_release(host, {})) {
      if (const auto secret = own("REDIS_PASSWORD"); !secret.empty())
        keep(to.password_file, to.password, "redis.password", secret);
      return {};
    }
    look_at_own_service(host, "REDIS_HOST");
    const auto port = number("REDIS_PORT", to.port);
    if (!port) return fail(port.error());
    const auto db = number("REDIS_DB", to.db);
    if (!db) return fail(db.error());
    to.kind = "external";
    to.host = host;
    to.port = *port;
    to.db = *db;
    to.user = value("REDIS_USERNAME");
    to.tls = truth(value("REDIS_USE_SSL"));
    if (const auto secret = value("REDIS_PASSWORD"); !secret.empty())
      keep(to.password_file, to.password, "redis.password", secret);
    return {};
  }

  const adoption_facts& facts_;
  const text_map& published_;
  new_configuration& made_;
  config::settings& to_;
  adoption_report& report_;
};

}  // namespace

Result<> read_settings(const adoption_facts& facts, const text_map& published, adoption& into) {
  return reading(facts, published, into).run();
}

void read_profiles(const adoption_facts& facts, const std::string& derived, config::settings& into) {
  const auto* given = find(facts.environment, "COMPOSE_PROFILES");
  if (!given) return;
  auto wanted = profiles_in(*given);
  const auto usual = profiles_in(derived);
  const auto has = [](const std::vector<std::string>& all, const char* name) {
    return std::ranges::find(all, name) != all.end();
  };
  // Without its profile the release's own database does not start (FACTS i.4).
  if (has(usual, "postgresql") && !has(wanted, "postgresql")) wanted.emplace_back("postgresql");
  const auto as_set = [](const std::vector<std::string>& all) { return name_set(all.begin(), all.end()); };
  if (as_set(wanted) != as_set(usual)) into.profiles = std::move(wanted);
}

}  // namespace difyd::release
