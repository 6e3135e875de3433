#include "difyd/release/archive.hpp"

#include <algorithm>
#include <filesystem>

#include "catch.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"
#include "difyd/base/url.hpp"

using namespace difyd;
namespace fs = std::filesystem;

namespace {

const version wanted = *parse_version("1.12.1");

struct place {
  std::string source = fs::temp_directory_path() / ("difyd-archive-" + random_hex(8));
  place() { fs::create_directory(source); }
  ~place() { fs::remove_all(source); }
  void add(const std::string& name) const { REQUIRE(replace_file(source + "/" + name, "x", 0644)); }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& each : fs::directory_iterator(source)) found.push_back(each.path().filename());
    return found;
  }
};

const std::vector<tree_file> files = {
    {".env.example", 0644, "A=1\n"},
    {"docker-compose.yaml", 0644, "services: {api: {image: langgenius/dify-api:1.12.1}}\n"},
    {"nginx/docker-entrypoint.sh", 0755, "#!/bin/sh\n"}};

}  // namespace

TEST_CASE("which archive is taken for a version") {
  const place p;
  CHECK(release::look_for(p.source, wanted).archive.empty());
  for (const auto* other : {"dify-1.12.10.tar.gz", "1.12.1-rc1.tar.gz", "dify-1.12.1.tar.gz.part",
                            ".dify-1.12.1.tar.gz.part", "dify-1.12.1.rar"})
    p.add(other);
  fs::create_directory(p.source + "/dify-1.12.1.tgz");
  CHECK(release::look_for(p.source, wanted).archive.empty());
  // The likelier name wins.
  for (const auto* name : {"1.12.1.zip", "1.12.1.tar.gz", "dify-1.12.1.tar.zst", "dify-1.12.1.tar.gz"}) {
    p.add(name);
    CHECK(release::look_for(p.source, wanted).archive == p.source + "/" + name);
  }
  CHECK_FALSE(release::look_for(p.source, wanted).folder);
  fs::create_directory(p.source + "/dify-1.12.1");
  CHECK(release::look_for(p.source, wanted).folder);
}

TEST_CASE("versions that are there, unpacked or not") {
  const place p;
  const auto found = [&] {
    std::string text;
    for (const auto& each : release::obtainable(p.source)) text += each.text() + " ";
    return text;
  };
  CHECK(found() == "");
  CHECK(release::obtainable(p.source + "/none").empty());
  for (const auto* other :
       {"dify-1.12.9.tar.gz.part", ".dify-1.12.8.tar.gz.part", "dify-1.12.1.rar", "dify.tar.gz"})
    p.add(other);
  fs::create_directory(p.source + "/dify-1.12.1.tgz");
  CHECK(found() == "");
  for (const auto* name : {"dify-1.12.10.tar.gz", "1.12.2.zip", "dify-1.12.2.tar.xz"}) p.add(name);
  CHECK(found() == "1.12.2 1.12.10 ");
  fs::create_directory(p.source + "/dify-1.11.4");
  fs::create_directory(p.source + "/dify-1.12.10");
  CHECK(found() == "1.11.4 1.12.2 1.12.10 ");
}

TEST_CASE("where a version is downloaded from and to") {
  CHECK(release::url_for(wanted, "https://a/{version}/dify-{version}.zip") ==
        "https://a/1.12.1/dify-1.12.1.zip");
  CHECK(release::url_for(*parse_version("1.16.0-rc1"), "https://a/{version}") == "https://a/1.16.0-rc1");
  CHECK(release::archive_name(wanted, "https://a/archive/refs/tags/1.12.1.tar.gz") == "dify-1.12.1.tar.gz");
  CHECK(release::archive_name(wanted, "https://a/x.zip?token=1.tar.xz") == "dify-1.12.1.zip");
  CHECK(release::archive_name(wanted, "https://a/1.12.1.tar.zst#x") == "dify-1.12.1.tar.zst");
  CHECK(release::archive_name(wanted, "https://a/download") == "dify-1.12.1.tar.gz");
}

TEST_CASE("a URL is shown without what may be secret in it") {
  CHECK(public_url("https://user:p@ss@host:8080/a/b@c.tar.gz?token=x#y") == "https://host:8080/a/b@c.tar.gz");
  CHECK(public_url("https://host/a?u=x@y") == "https://host/a");
  CHECK(public_url("http://user@host") == "http://host");
  CHECK(public_url("user:secret@host:3128") == "host:3128");
  CHECK(public_url("").empty());
}

TEST_CASE("files are laid out as the version that they claim to be, or not at all") {
  const place p;
  const std::string archive = p.source + "/x.tar.gz";
  auto other = files;
  other[1].bytes = "services: {api: {image: langgenius/dify-api:1.11.4}}\n";
  const auto mismatch = release::lay_out_checked(other, p.source, wanted, archive);
  REQUIRE_FALSE(mismatch);
  CHECK(mismatch.error().code == "release-mismatch");
  CHECK(mismatch.error().message == "cannot use release 1.12.1: " + archive +
                                        ":docker/docker-compose.yaml names the api image of version 1.11.4");
  const auto incomplete = release::lay_out_checked({files[1]}, p.source, wanted, archive);
  REQUIRE_FALSE(incomplete);
  CHECK(incomplete.error().code == "release-incomplete");
  CHECK(p.names().empty());

  // What a crash left of an earlier try.
  fs::create_directories(p.source + "/.dify-1.12.1.new-0123abcd/docker");
  fs::create_directories(p.source + "/.dify-1.12.10.new-0123abcd/docker");
  CHECK(release::available(p.source).empty());
  REQUIRE(release::lay_out_checked(files, p.source, wanted, archive));
  CHECK(release::find_bundle(p.source, wanted));
  CHECK((fs::status(p.source + "/dify-1.12.1/docker/nginx/docker-entrypoint.sh").permissions() &
         fs::perms::owner_exec) != fs::perms::none);
  auto names = p.names();
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{".dify-1.12.10.new-0123abcd", "dify-1.12.1"});

  // What is there by now stays.
  auto edited = files;
  edited[0].bytes = "A=2\n";
  REQUIRE(release::lay_out_checked(edited, p.source, wanted, archive));
  CHECK(release::find_bundle(p.source, wanted)->env_example == "A=1\n");
}

TEST_CASE("parts of what is deployed, or older, are removed, and nothing else") {
  const place p;
  const std::vector<std::string> stay = {".dify-1.12.10.tar.gz.part", ".dify-1.12.1.new-aa", "1.12.1.tar.gz",
                                         "dify-1.12.1.zip", ".mine.part"};
  for (const auto& each : stay) p.add(each);
  for (const auto* each : {".dify-1.12.1.zip.part", ".dify-1.12.1.zip.part.json", ".dify-1.9.2.tar.gz.part"})
    p.add(each);
  release::remove_parts(p.source, wanted);
  auto left = p.names(), expected = stay;
  std::ranges::sort(left);
  std::ranges::sort(expected);
  CHECK(left == expected);
}
