#include "difyd/release/overlay.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "difyd/base/text.hpp"

using namespace difyd;
namespace fs = std::filesystem;

namespace {

struct place {
  std::string root = fs::temp_directory_path() / ("difyd-overlay-" + random_hex(8));
  place() { fs::create_directories(root + "/over"); }
  ~place() { fs::remove_all(root); }
  void put(const std::string& path, const std::string& text, fs::perms mode = fs::perms(0644)) const {
    fs::create_directories(fs::path(root + "/" + path).parent_path());
    std::ofstream(root + "/" + path) << text;
    fs::permissions(root + "/" + path, mode);
  }
  Result<release::overlay> read() const { return release::read_overlay(root + "/over"); }
};

}  // namespace

TEST_CASE("what an overlay may hold") {
  for (const auto* good :
       {"nginx/ssl/dify.key", "nginx/docker-compose.yaml", "envs/core.env", "nginx.yaml", ".envrc"})
    CHECK(release::check_overlay_path(good));
  const std::pair<const char*, const char*> rows[] = {
      {"docker-compose.yaml", "difyd runs the release's own compose file"},
      {"docker-compose.override.yml", "difyd runs the release's own compose file"},
      {"compose.yaml", "difyd runs the release's own compose file"},
      {".env", "difyd makes the environment"},
      {".env.example", "difyd makes the environment"},
      {"volumes", "volumes is the storage"},
      {"volumes/sandbox/conf/config.yaml", "volumes is the storage"}};
  for (const auto& [path, cause] : rows) {
    INFO(path);
    const auto refused = release::check_overlay_path(path);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == "overlay-refused");
    CHECK(refused.error().message == "cannot lay " + std::string(path) + " over a release: " + cause);
    CHECK_FALSE(refused.error().remedy.empty());
  }
}

TEST_CASE("an overlay is the files of its folder, with their rights") {
  const place p;
  CHECK(release::read_overlay("")->empty());
  CHECK(release::read_overlay(p.root + "/nowhere").error().code == "overlay-missing");
  CHECK(p.read()->empty());
  p.put("over/nginx/ssl/dify.key", "key", fs::perms(0600));
  p.put("live/dify.crt", "certificate");
  fs::create_symlink("../../../live/dify.crt", p.root + "/over/nginx/ssl/dify.crt");
  const auto files = p.read();
  REQUIRE(files);
  CHECK(*files ==
        release::overlay{{"nginx/ssl/dify.crt", 0644, "certificate"}, {"nginx/ssl/dify.key", 0600, "key"}});

  // Any change is another overlay.
  const auto hash = release::hash_of(*files);
  CHECK(release::hash_of(*p.read()) == hash);
  p.put("live/dify.crt", "renewed");
  CHECK(release::hash_of(*p.read()) != hash);
  p.put("live/dify.crt", "certificate", fs::perms(0640));
  CHECK(release::hash_of(*p.read()) != hash);
  CHECK(release::hash_of({}).empty());

  fs::create_directory_symlink("../live", p.root + "/over/live");
  CHECK(p.read().error().message == "cannot lay " + p.root + "/over/live over a release: it is no file");
  fs::remove(p.root + "/over/live");
  REQUIRE(::mkfifo((p.root + "/over/pipe").c_str(), 0600) == 0);
  CHECK(p.read().error().code == "overlay-refused");
  fs::remove(p.root + "/over/pipe");
  for (const auto* half : {"over/a", "over/b"}) p.put(half, std::string(5u << 20, 'x'));
  CHECK(p.read().error().message.ends_with("over a release: it is larger than 8.0 MiB"));
  for (const auto* half : {"over/a", "over/b"}) fs::remove(p.root + "/" + half);
  p.put("over/.env", "A=1");
  CHECK(p.read().error().code == "overlay-refused");
}

TEST_CASE("files whose published original changes are named") {
  const place p;
  for (const auto* path : {"same", "edited", "gone"}) p.put("before/" + std::string(path), "1");
  p.put("after/same", "1");
  p.put("after/edited", "2");
  p.put("after/new", "1");
  const release::overlay files = {{"edited", 0644, "2"},
                                  {"gone", 0644, "x"},
                                  {"new", 0644, "x"},
                                  {"own", 0644, "x"},
                                  {"same", 0644, "x"}};
  CHECK(*release::changed_originals(files, p.root + "/before", p.root + "/after") ==
        std::vector<release::overlay_change>{{"edited", "changed"}, {"gone", "removed"}, {"new", "added"}});
}
