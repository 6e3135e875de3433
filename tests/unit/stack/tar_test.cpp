#include "difyd/stack/tar.hpp"

#include <cstring>

#include "catch.hpp"

using namespace difyd::stack;

TEST_CASE("files follow each other in whole blocks, with two empty ones at the end") {
  const auto tar =
      tar_of({{"a/one.txt", "hello", 0600, 0, 0}, {"a/two.txt", std::string(512, 'x'), 0600, 0, 0}}, 8);
  REQUIRE(tar);
  REQUIRE(tar->size() == 512 + 512 + 512 + 512 + 1024);
  CHECK(tar->substr(0, 10) == std::string("a/one.txt\0", 10));
  CHECK(tar->substr(100, 7) == "0000600");
  CHECK(tar->substr(136, 11) == "00000000010");
  CHECK(tar->substr(257, 5) == "ustar");
  CHECK(tar->substr(512, 5) == "hello");
  CHECK(tar->substr(1024, 9) == "a/two.txt");
  CHECK(tar->substr(2048) == std::string(1024, '\0'));
}

TEST_CASE("a path that does not fit is refused") {
  const auto tar = tar_of({{std::string(300, 'a'), "x"}}, 0);
  REQUIRE_FALSE(tar);
  CHECK(tar.error().code == "unsupported");
}
