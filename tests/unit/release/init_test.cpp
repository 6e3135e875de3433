#include "difyd/release/init.hpp"

#include "difyd/base/durable_file.hpp"
#include "difyd/config/table.hpp"
#include "difyd/release/bundle.hpp"
#include "difyd/release/working_copy.hpp"
#include "real_bundles.hpp"

using namespace difyd;
using namespace difyd::release;

namespace {

// Never the same twice.
random_source counting() {
  return [next = 0u](std::size_t count) mutable {
    std::string bytes(count, '\0');
    for (char& each : bytes) each = static_cast<char>((next = next * 1103515245u + 12345u) >> 16);
    return bytes;
  };
}

std::string variable(const compose::project& project, const char* service, const char* name) {
  const auto found = project.services.find(service);
  if (found == project.services.end()) return "(no service)";
  const auto& environment = found->second.environment;
  const auto each = environment.find(name);
  return each == environment.end() ? "(none)" : each->second.value_or("");
}

using names = std::vector<std::string>;

names files(const initial& made) {
  names paths;
  for (const auto& each : made.made.files) paths.push_back(each.path.substr(each.path.rfind('/') + 1));
  return paths;
}

initial made(const init_facts& facts) {
  auto out = init(facts, counting());
  if (!out) FAIL(sentence(out.error()));
  return std::move(*out);
}

init_facts facts(const std::string& vector = "weaviate") {
  init_facts f;
  f.wanted = config::defaults();
  f.wanted.storage.root = "/srv/dify";
  f.wanted.version = *parse_version("1.11.4");
  f.wanted.vector.kind = vector;
  f.secrets = "/etc/difyd/secrets";
  f.env_example =
      "SECRET_KEY=sk-published\nSANDBOX_API_KEY=dify-sandbox\nCODE_EXECUTION_API_KEY=dify-sandbox\n"
      "WEAVIATE_API_KEY=public\nQDRANT_API_KEY=public\nDIFY_AGENT_SERVER_SECRET_KEY=public\n";
  return f;
}

}  // namespace

TEST_CASE("base64 is that of openssl") {
  CHECK(base64("") == "");
  CHECK(base64("M") == "TQ==");
  CHECK(base64("Ma") == "TWE=");
  CHECK(base64("Man") == "TWFu");
  CHECK(base64("\xff\xfe\xfd") == "//79");
}

TEST_CASE("secrets of what is wanted, the same one under all of its names") {
  const auto out = made(facts());
  CHECK(files(out) == names{"database.password", "redis.password", "SECRET_KEY", "SANDBOX_API_KEY",
                            "WEAVIATE_API_KEY", "DIFY_AGENT_SERVER_SECRET_KEY"});
  const auto& named = out.made.settings.environment_files;
  CHECK(named.at("CODE_EXECUTION_API_KEY") == "/etc/difyd/secrets/SANDBOX_API_KEY");
  CHECK_FALSE(named.contains("QDRANT_API_KEY"));
  CHECK(out.made.files[0].value.reveal().size() == 32);
  CHECK(out.made.files[2].value.reveal().size() == 56);
  CHECK(out.made.files[5].value.reveal().size() == 43);
  CHECK(out.notes.empty());
  std::set<std::string> values;
  for (const auto& each : out.made.files) values.insert(each.value.reveal());
  CHECK(values.size() == out.made.files.size());
  CHECK(read_back(out.made, {}));
}

TEST_CASE("what others run keeps its password, and stores without a stand-in are told about") {
  auto f = facts("pgvector");
  CHECK(files(made(f))[2] == "vector.password");
  f.wanted.vector.host = "10.0.0.3";
  f.wanted.database.kind = f.wanted.redis.kind = "external";
  f.wanted.database.host = f.wanted.redis.host = "10.0.0.3";
  f.wanted.database.user = "dify";
  f.wanted.database.password_file = "/root/pw";
  auto out = made(f);
  CHECK(files(out) == names{"SECRET_KEY", "SANDBOX_API_KEY", "DIFY_AGENT_SERVER_SECRET_KEY"});
  CHECK(out.made.settings.database.password_file == "/root/pw");
  CHECK(out.notes.empty());
  out = made(facts("milvus"));
  REQUIRE(out.notes.size() == 1);
  CHECK(out.notes[0].find("vector store milvus") != std::string::npos);
  CHECK(files(made(facts("qdrant")))[4] == "QDRANT_API_KEY");
}

TEST_CASE("a mistake in what was asked for has no place in a file that nobody has seen") {
  auto f = facts();
  f.wanted.database.port = 99999;
  const auto read = read_back(made(f).made, {});
  REQUIRE_FALSE(read);
  CHECK(read.error().message ==
        "cannot use the new configuration: database.port is \"99999\" but must be from 1 to 65535");
}

TEST_CASE("in every real release both sides know the same secret, and none is public") {
  const real_bundles real;
  for (const auto& version : real.versions)
    for (const char* vector : {"weaviate", "pgvector", "qdrant"}) {
      CAPTURE(version.text(), vector);
      auto settings = real.settings("");
      const auto bundle = find_bundle(settings.releases.source, version);
      REQUIRE(bundle);
      init_facts f;
      f.wanted = config::defaults();
      f.wanted.releases.source = settings.releases.source;
      f.wanted.storage.root = "/srv/dify";
      f.wanted.version = version;
      f.wanted.vector.kind = vector;
      f.secrets = "/etc/difyd/secrets";
      f.env_example = bundle->env_example;
      f.named = named_keys(*read_file(bundle->folder + "/" + bundle->compose_file));
      const auto read = read_back(made(f).made, {});
      REQUIRE(read);
      const auto release = preview(*read, version, std::nullopt);
      if (!release) FAIL(sentence(release.error()));
      CHECK(release->environment.secret_key == secret_key::own);
      const auto& project = release->project;
      const std::string db = project.services.contains("db") ? "db" : "db_postgres";
      const auto agree = [&](const char* service, const char* name, const char* other, const char* as) {
        CAPTURE(service, name, other, as);
        CHECK(variable(project, service, name) == variable(project, other, as));
        CHECK(variable(project, service, name).size() >= 32);
      };
      agree("api", "DB_PASSWORD", db.c_str(), "POSTGRES_PASSWORD");
      agree("api", "DB_PASSWORD", "plugin_daemon", "DB_PASSWORD");
      agree("api", "REDIS_PASSWORD", "redis", "REDISCLI_AUTH");
      agree("api", "PLUGIN_DAEMON_KEY", "plugin_daemon", "SERVER_KEY");
      agree("api", "INNER_API_KEY_FOR_PLUGIN", "plugin_daemon", "DIFY_INNER_API_KEY");
      agree("api", "CODE_EXECUTION_API_KEY", "sandbox", "API_KEY");
      agree("api", "SECRET_KEY", "worker", "SECRET_KEY");
      if (std::string(vector) == "weaviate")
        agree("api", "WEAVIATE_API_KEY", "weaviate", "AUTHENTICATION_APIKEY_ALLOWED_KEYS");
      if (std::string(vector) == "pgvector")
        agree("api", "PGVECTOR_PASSWORD", "pgvector", "POSTGRES_PASSWORD");
      if (std::string(vector) == "qdrant" && variable(project, "api", "QDRANT_API_KEY") != "(none)")
        agree("api", "QDRANT_API_KEY", "qdrant", "QDRANT_API_KEY");
      if (project.services.contains("agent_backend"))
        agree("agent_backend", "DIFY_AGENT_SHELLCTL_AUTH_TOKEN", "local_sandbox", "SHELLCTL_AUTH_TOKEN");
      CHECK(variable(project, "worker", "CELERY_BROKER_URL") ==
            "redis://:" + variable(project, "api", "REDIS_PASSWORD") + "@redis:6379/1");
    }
}
