#include <sys/stat.h>

#include "catch.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/config/load.hpp"
#include "difyd/config/table.hpp"
#include "source_dir.hpp"

using namespace difyd;
using namespace difyd::config;

namespace {

const std::string folder = source_dir() + "/config/";

surroundings with_every_secret() {
  surroundings world;
  world.credentials_directory = "/run/credentials/difyd.service";
  world.read_file = [](const std::string& path) -> Result<std::string> {
    if (path.starts_with(folder)) return read_file(path);
    return "secret";
  };
  return world;
}

}  // namespace

TEST_CASE("config/difyd.yaml is the reference that the table of keys gives") {
  const auto text = read_file(folder + "difyd.yaml");
  REQUIRE(text);
  CHECK(*text == reference());
}

TEST_CASE("the reference and the three deployments load") {
  for (const std::string name : {"difyd.yaml", "gcp.yaml", "pigsty.yaml", "standalone.yaml"}) {
    CAPTURE(name);
    const auto result = load_all(folder + name, with_every_secret());
    CHECK(result.errors == std::vector<Error>{});
    CHECK(result.warnings.empty());
  }
  const auto gcp = load(folder + "gcp.yaml", with_every_secret());
  REQUIRE(gcp);
  CHECK(gcp->vector.kind == "pgvector");
  CHECK(gcp->storage.manage);
}

// With every # before a key removed, each example and each default must be acceptable.
TEST_CASE("every default and example of the reference is valid") {
  std::string text;
  const std::string source = reference();
  for (std::size_t at = 0; at < source.size();) {
    const std::size_t end = source.find('\n', at);
    std::string line = source.substr(at, end - at);
    const std::size_t hash = line.find('#');
    const bool key =
        hash != std::string::npos && line.size() > hash + 1 && line[hash + 1] != ' ' && line != "#";
    if (key && line.find("credential") == std::string::npos) line.erase(hash, 1);
    text += line + "\n";
    at = end + 1;
  }
  const std::string nfs = "kind: local";
  text.replace(text.find(nfs), nfs.size(), "kind: nfs");
  const std::string disk = "source: /dev/disk/by-id/google-dify", ext4 = "fstype: ext4";
  text.erase(text.find(disk), disk.size());
  text.replace(text.find(ext4), ext4.size(), "fstype: nfs4");
  const std::string bundled =
      "redis:\n  # bundled: the Redis container of the release. One of bundled, external.\n  kind: bundled";
  REQUIRE(text.find(bundled) != std::string::npos);
  text.replace(text.find(bundled), bundled.size(), "redis:\n  kind: external");
  const std::string weaviate = "kind: weaviate";
  text.replace(text.find(weaviate), weaviate.size(), "kind: pgvector");
  const auto result = parse(text, "reference", with_every_secret());
  CHECK(result.errors == std::vector<Error>{});
}

TEST_CASE("every key says what it is for") {
  for (const auto& row : table()) {
    CAPTURE(row.path);
    CHECK(row.description.ends_with('.'));
    CHECK(row.description.size() > 10);
  }
}
