#include "difyd/release/kept.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"

using namespace difyd;
namespace fs = std::filesystem;
using release::bundle_state;
using release::choose_image;
using release::image_step;

namespace {

struct place {
  std::string root = fs::temp_directory_path() / ("difyd-kept-" + random_hex(8));
  release::release what;

  place() {
    what.version = *parse_version("1.11.4");
    what.bundle = root + "/source/dify-1.11.4/docker";
    what.bundle_hash = "bb";
    what.environment.text = "SECRET_KEY=mine\n";
    what.project.name = "dify";
    fs::create_directories(what.bundle + "/nginx");
    put("docker-compose.yaml", "services: {}\n", 0644);
    put("nginx/entry.sh", "#!/bin/sh\n", 0755);
    put(".env", "of an operator\n", 0600);
  }
  ~place() { fs::remove_all(root); }
  void put(const std::string& name, const std::string& text, mode_t mode) const {
    REQUIRE(write_durably(what.bundle + "/" + name, text, mode));
  }
  std::vector<tree_file> files() const { return release::files_to_keep(what.bundle, what).value(); }
  release::kept manifest() const {
    return release::describe(what, files(), {{"nginx:latest", {"sha256:aa", "nginx@sha256:bb"}}},
                             {"905527cc8fd3"}, "me");
  }
};

}  // namespace

TEST_CASE("a kept release says what it is, and survives the way to JSON and back") {
  const place here;
  const auto files = here.files();
  REQUIRE(files.size() == 4);
  CHECK(release::environment_of(files) == "SECRET_KEY=mine\n");
  for (const auto& each : files)
    if (!each.path.starts_with("bundle/")) CHECK(each.mode == 0600);
  const auto manifest = here.manifest();
  CHECK(*release::parse_kept(to_json(manifest), "m") == manifest);
  REQUIRE(release::check_kept(manifest, files));
  // Another content has another folder.
  here.put("docker-compose.yaml", "services: {a: {}}\n", 0644);
  CHECK(here.manifest().folder != manifest.folder);
}

TEST_CASE("what was laid over a release is kept with it, beside its bundle") {
  place here;
  const auto without = here.manifest();
  here.what.laid_over = {{"nginx/ssl/dify.key", 0600, "key"}};
  const auto files = here.files();
  CHECK(release::overlay_of(files) == here.what.laid_over);
  const auto manifest = here.manifest();
  CHECK(manifest.folder != without.folder);
  CHECK(*release::parse_kept(to_json(manifest), "m") == manifest);
  REQUIRE(release::check_kept(manifest, files));
  std::vector<std::string> edited;
  CHECK(release::compare_bundle(manifest, here.root + "/source", edited) == bundle_state::same);
  CHECK(release::compare_overlay(manifest, here.what.laid_over).empty());
  CHECK(release::compare_overlay(without, {}).empty());
  using names = std::vector<std::string>;
  CHECK(release::compare_overlay(manifest, {}) == names{"nginx/ssl/dify.key"});
  CHECK(release::compare_overlay(manifest, {{"a", 0600, ""}, {"nginx/ssl/dify.key", 0600, "new"}}) ==
        names{"a", "nginx/ssl/dify.key"});
  REQUIRE(release::restore_bundle(files, here.root + "/elsewhere", here.what.version));
  CHECK_FALSE(fs::exists(here.root + "/elsewhere/dify-1.11.4/docker/nginx/ssl"));
}

TEST_CASE("what is not as it was written is refused") {
  const place here;
  const auto manifest = here.manifest();
  const auto refused = [&](std::vector<tree_file> files) {
    const auto checked = release::check_kept(manifest, files);
    return !checked && checked.error().code == "kept-damaged";
  };
  auto files = here.files();
  files[0].bytes += "x";
  CHECK(refused(files));
  files = here.files();
  files.pop_back();
  CHECK(refused(files));
  files = here.files();
  files.push_back({"bundle/more", 0644, ""});
  CHECK(refused(files));
  const auto text = to_json(manifest);
  for (std::size_t length = 0; length + 2 < text.size(); length += 7)
    CHECK(release::parse_kept(text.substr(0, length), "m").error().code == "kept-damaged");
  auto other = manifest;
  other.folder = "somewhere";
  CHECK(release::parse_kept(to_json(other), "m").error().code == "kept-damaged");
}

TEST_CASE("a bundle comes back whole, and one that was edited is told") {
  const place here;
  const auto manifest = here.manifest();
  const auto files = here.files();
  const std::string source = here.root + "/new/bundles";
  std::vector<std::string> edited;
  CHECK(compare_bundle(manifest, source, edited) == bundle_state::missing);
  REQUIRE(release::restore_bundle(files, source, here.what.version));
  CHECK(compare_bundle(manifest, source, edited) == bundle_state::same);
  const std::string docker = source + "/dify-1.11.4/docker";
  struct stat info {};
  REQUIRE(::stat((docker + "/nginx/entry.sh").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0755);
  CHECK_FALSE(fs::exists(docker + "/.env"));
  CHECK_FALSE(fs::exists(docker + "/environment"));
  // Other rights depend on who unpacked it.
  fs::permissions(docker + "/docker-compose.yaml", fs::perms(0664));
  CHECK(compare_bundle(manifest, source, edited) == bundle_state::same);
  std::ofstream(docker + "/docker-compose.yaml") << "services: {x: {}}\n";
  std::ofstream(docker + "/more") << "x";
  fs::remove(docker + "/nginx/entry.sh");
  CHECK(compare_bundle(manifest, source, edited) == bundle_state::edited);
  CHECK(edited == std::vector<std::string>{"docker-compose.yaml", "more", "nginx/entry.sh"});
  REQUIRE(release::restore_bundle(files, source, here.what.version));
  CHECK(compare_bundle(manifest, source, edited) == bundle_state::same);
  CHECK(std::distance(fs::directory_iterator(source), fs::directory_iterator()) == 1);
}

TEST_CASE("which image a new machine takes") {
  const release::kept_image known{"sha256:aa", "nginx@sha256:bb"}, unpublished{"sha256:aa", ""};
  CHECK(choose_image({}, "sha256:cc", false) == image_step::none);  // nothing was recorded
  CHECK(choose_image(known, "sha256:aa", false) == image_step::none);
  CHECK(choose_image(known, "sha256:cc", true) == image_step::tag);
  CHECK(choose_image(known, "", true) == image_step::tag);
  CHECK(choose_image(known, "sha256:cc", false) == image_step::pull_digest);
  CHECK(choose_image(known, "", false) == image_step::pull_digest);
  CHECK(choose_image(unpublished, "", false) == image_step::pull);
  CHECK(choose_image(unpublished, "sha256:cc", false) == image_step::refuse);
}
