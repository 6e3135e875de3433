// Hash inputs byte for byte as docker compose 2.26.1 wrote them (tests/compose/recorded).
#include <cstdlib>
#include <difyd/compose/hash.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "catch.hpp"
#include "memory_reader.hpp"
#include "source_dir.hpp"

using namespace difyd::compose;

namespace {

const std::string recorded = source_dir() + "/tests/compose/recorded/";

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string bundles() {
  const char* given = std::getenv("DIFYD_BUNDLES");
  return given ? given : source_dir() + "/../shared/dify";
}

void check_epochs(const project& p, const nlohmann::json& hashes) {
  for (const auto& [key, epoch] : {std::pair{"epoch1_verified", hash_epoch::v2_26},
                                   {"epoch2_derived", hash_epoch::v2_30},
                                   {"epoch3_derived", hash_epoch::v2_40},
                                   {"epoch4_derived", hash_epoch::v5}}) {
    if (!hashes.contains(key)) continue;
    for (const auto& [name, hash] : hashes[key].items()) {
      INFO(key << " " << name);
      CHECK(config_hash(p.services.at(name), epoch) == hash.get<std::string>());
    }
  }
}

void check_inputs(const project& p, const std::string& folder) {
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string file = entry.path().filename();
    if (!file.ends_with(".hash-input.json")) continue;
    const std::string name = file.substr(0, file.find('.'));
    INFO(name);
    CHECK(hash_input(p.services.at(name), hash_epoch::v2_26) == slurp(entry.path()));
    ++seen;
  }
  CHECK(seen == p.services.size());
}

}  // namespace

TEST_CASE("the hash of the demo project is the one that was recorded") {
  source from;
  from.cwd = "/srv/hash-demo";
  from.project_name = "ra-hash";
  const memory_reader files({{"/srv/hash-demo/compose.yaml", slurp(recorded + "hash-demo/compose.yaml")}});
  const auto result = load(from, files);
  REQUIRE(result);
  check_inputs(result->project, recorded + "hash-demo");
  check_epochs(result->project, nlohmann::json::parse(slurp(recorded + "hash-demo/hashes.json")));
}

TEST_CASE("the hashes of Dify 1.11.4 are the recorded ones") {
  const std::string bundle = bundles() + "/1.11.4/docker/";
  if (!std::filesystem::exists(bundle + "docker-compose.yaml")) {
    WARN("SKIPPED: no Dify 1.11.4 under " << bundles() << " (set DIFYD_BUNDLES)");
    return;
  }
  const memory_reader files({{"/srv/dify/docker/docker-compose.yaml", slurp(bundle + "docker-compose.yaml")},
                             {"/srv/dify/docker/.env", slurp(bundle + ".env.example")}});
  source from;
  from.cwd = "/srv/dify/docker";
  from.project_name = "ra-dify";
  from.environment = {{"COMPOSE_PROFILES", ""}};
  auto result = load(from, files);
  REQUIRE(result);
  drop_inactive_dependencies(result->project);
  check_inputs(result->project, recorded + "dify-1.11.4");
  check_epochs(result->project, nlohmann::json::parse(slurp(recorded + "dify-1.11.4/hashes.json")));
}

TEST_CASE("networks and volumes have hashes too") {
  network n;
  n.name = "p_default";
  CHECK(hash_input(n) == R"({"name":"p_default","ipam":{}})");
  volume v;
  v.name = "p_data";
  CHECK(hash_input(v) == R"({"name":"p_data","driver":"local"})");
}

TEST_CASE("the text of a hash is escaped as Go does") {
  service s;
  s.name = "s";
  s.hostname = std::string("<&>\" \\ \n\r\t\x01 \xC3\xA9 \xE2\x80\xA8 \xFF");
  s.cpus = 0.1F;
  CHECK(hash_input(s, hash_epoch::v2_26) ==
        "{\"cpus\":0.1,\"command\":null,\"entrypoint\":null,\"hostname\":\"\\u003c\\u0026\\u003e\\\" \\\\ "
        "\\n\\r\\t\\u0001 \xC3\xA9 \\u2028 \\ufffd\"}");
}

TEST_CASE("the epoch follows the version label") {
  CHECK(epoch_of_version("2.26.1") == hash_epoch::v2_26);
  CHECK(epoch_of_version("v2.29.2") == hash_epoch::v2_26);
  CHECK(epoch_of_version("2.29.3") == hash_epoch::v2_30);
  CHECK(epoch_of_version("2.30.1-desktop.1") == hash_epoch::v2_30);
  CHECK(epoch_of_version("2.30.2") == hash_epoch::v2_40);
  CHECK(epoch_of_version("v2.40.3") == hash_epoch::v2_40);
  CHECK(epoch_of_version("5.0.0") == hash_epoch::v5);
  CHECK(!epoch_of_version("two"));
}

TEST_CASE("what the hash leaves out") {
  auto result =
      load_text(service_text("scale: 1, pull_policy: always, build: ., deploy: {replicas: 1}, profiles: []"));
  REQUIRE(result);
  CHECK(
      hash_input(result->project.services.at("s"), hash_epoch::v2_26) ==
      R"({"command":null,"deploy":{"resources":{},"placement":{}},"entrypoint":null,"image":"i","networks":{"default":null}})");
}
