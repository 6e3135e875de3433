#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "catch.hpp"
#include "difyd/base/clock.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/sha256.hpp"
#include "difyd/base/text.hpp"

using namespace difyd;

TEST_CASE("write_durably replaces a file whole, with its mode, and leaves nothing behind") {
  const auto folder = std::filesystem::temp_directory_path() / ("difyd-" + random_hex(8));
  std::filesystem::create_directory(folder);
  const std::string path = folder / "file";
  REQUIRE(write_durably(path, "one", 0600));
  REQUIRE(write_durably(path, "two", 0600));
  CHECK(read_file(path) == Result<std::string>("two"));
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(std::distance(std::filesystem::directory_iterator(folder), {}) == 1);
  REQUIRE(replace_file(path, "three", 0644));
  CHECK(read_file(path) == Result<std::string>("three"));
  CHECK(std::distance(std::filesystem::directory_iterator(folder), {}) == 1);
  CHECK(read_file(path, 2).error().code == "file-too-large");
  CHECK(read_file(folder).error().code == "file-io");
  std::filesystem::remove_all(folder);
  const auto gone = write_durably(path, "three", 0600);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == "file-io");
}

TEST_CASE("sha256") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("text helpers") {
  CHECK(split("a,,b", ',') == std::vector<std::string>{"a", "", "b"});
  CHECK(join({"", "a", "b"}, ",") == ",a,b");
  CHECK(trim("  a b\n") == "a b");
  CHECK(percent_encode("a b/{\"x\":1}") == "a%20b%2F%7B%22x%22%3A1%7D");
  CHECK(bytes_text(1536) == "1.5 KiB");
  CHECK(closest("conection", {"connection", "listen"}) == "connection");
  CHECK(closest("zzz", {"connection", "listen"}).empty());
  CHECK(random_hex(12).size() == 12);
  CHECK(to_rfc3339(wall_time(std::chrono::milliseconds(1500))) == "1970-01-01T00:00:01.500Z");
}
