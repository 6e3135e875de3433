// The real compose file of Dify 1.11.4 through the loader, against the recorded requests.
#include <cstdlib>
#include <filesystem>

#include "catch.hpp"
#include "difyd/compose/load.hpp"
#include "difyd/stack/create.hpp"
#include "recorded.hpp"
#include "source_dir.hpp"

using namespace difyd;
using namespace difyd::stack;

namespace {

// $DIFYD_BUNDLES, else the folder beside the checkout.
std::filesystem::path bundle() {
  const char* given = std::getenv("DIFYD_BUNDLES");
  const std::filesystem::path root =
      given != nullptr ? given : std::filesystem::path(source_dir()).parent_path() / "shared/dify";
  return root / "1.11.4/docker";
}

// The bundle as if it lay in the folder of the recorded run.
class moved_reader final : public compose::reader {
 public:
  Result<std::string> read_file(const std::string& path) const override {
    return disk_.read_file(where(path));
  }
  bool exists(const std::string& path) const override { return disk_.exists(where(path)); }

 private:
  static std::string where(const std::string& path) {
    const std::filesystem::path asked(path);
    if (asked.filename() == ".env") return bundle() / ".env.example";
    return asked.parent_path() == "/srv/dify/docker" ? (bundle() / asked.filename()).string() : path;
  }
  compose::disk_reader disk_;
};

}  // namespace

TEST_CASE("Dify 1.11.4 as published gives the recorded requests and hashes") {
  if (!std::filesystem::exists(bundle() / "docker-compose.yaml")) {
    WARN("skipped: " << bundle() << " is not there (set DIFYD_BUNDLES)");
    return;
  }
  compose::source from;
  from.files = {"/srv/dify/docker/docker-compose.yaml"};
  from.project_name = "ra-dify";
  from.environment = {{"COMPOSE_PROFILES", ""}};
  from.cwd = "/srv/dify/docker";
  auto loaded = compose::load(from, moved_reader());
  if (!loaded) FAIL(loaded.error().message);
  compose::drop_unused_resources(loaded->project);
  const auto hashes = recorded::read("hashes.json");
  REQUIRE(loaded->project.services.size() == 10);
  for (const auto& [name, service] : loaded->project.services) {
    INFO(name);
    const auto expected = recorded::read(name + ".create.json");
    create_context c;
    c.project = &loaded->project;
    c.service = name;
    c.dialect = dialect_of("2.26.1");
    c.image_id = expected["Labels"]["com.docker.compose.image"];
    const auto request = create_container_request(c);
    REQUIRE(request);
    CHECK(recorded::comparable(request->body) == recorded::comparable(expected));
    CHECK(service_hash(loaded->project, service, compose::hash_epoch::v2_40) ==
          hashes["epoch3_derived"][name].get<std::string>());
  }
}
