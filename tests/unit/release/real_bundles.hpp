// The compose files and .env.example files of real Dify releases, where they are at hand:
// $DIFYD_BUNDLES, or the folder shared/dify beside the checkout.
#pragma once

#include <cstdlib>
#include <filesystem>

#include "catch.hpp"
#include "difyd/base/text.hpp"
#include "difyd/config/load.hpp"
#include "source_dir.hpp"

inline std::string real_folder() {
  if (const char* named = std::getenv("DIFYD_BUNDLES")) return named;
  return source_dir() + "/../shared/dify";
}

struct real_bundles {
  std::string root = std::filesystem::temp_directory_path() / ("difyd-real-" + difyd::random_hex(8));
  std::vector<difyd::version> versions;

  real_bundles() {
    std::filesystem::create_directories(root);
    std::error_code error;
    for (const auto& each : std::filesystem::directory_iterator(real_folder(), error)) {
      const auto version = difyd::parse_version(each.path().filename().string());
      if (!version || !std::filesystem::exists(each.path() / "docker/.env.example")) continue;
      std::filesystem::create_directory_symlink(std::filesystem::canonical(each.path()),
                                                root + "/dify-" + version->text());
      versions.push_back(*version);
    }
  }
  ~real_bundles() { std::filesystem::remove_all(root); }

  difyd::config::settings settings(const std::string& yaml) const {
    difyd::config::surroundings world;
    world.read_file = [](const std::string& path) -> difyd::Result<std::string> {
      return std::string(path == "/redis" ? "re$d/is#1" : "pa'ss$w0rd\\");
    };
    auto parsed = difyd::config::parse(
        "storage: {root: /srv/dify}\nreleases: {source: " + root + "}\n" + yaml, "test", world);
    REQUIRE(parsed.errors == std::vector<difyd::Error>{});
    return parsed.values;
  }
};
