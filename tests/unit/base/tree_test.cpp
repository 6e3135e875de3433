#include "difyd/base/tree.hpp"

#include "catch.hpp"

using namespace difyd;

TEST_CASE("a folder's files survive the way through a stream") {
  const std::vector<tree_file> files{
      {"a b/c", 0755, std::string("x\0\n7 7 y\n", 9)}, {"d", 0, ""}, {"e", 0600, "\n"}};
  const auto packed = pack(files);
  REQUIRE(packed);
  CHECK(*unpack(*packed) == files);
  CHECK(unpack("")->empty());
  // Cut anywhere but between two files, it is refused, never half read.
  std::size_t whole = 0;
  for (std::size_t length = 0; length < packed->size(); ++length)
    if (const auto some = unpack(std::string_view(*packed).substr(0, length))) whole += some->size() <= 2;
  CHECK(whole == 3);
}

TEST_CASE("what leads out of a folder is no file of it") {
  for (const char* path : {"", "/a", "..", "a/../b", "a//b", "./a", "a\nb"}) {
    INFO(path);
    CHECK(pack({{path, 0600, ""}}).error().code == "bad-path");
  }
  CHECK(unpack("600 0 ../a\n").error().code == "bad-path");
  for (const char* bytes : {"x 0 a\n", "600 9 a\nb", "600 -1 a\n", "77777 0 a\n", "600 0\n"}) {
    INFO(bytes);
    CHECK(unpack(bytes).error().code == "share-io");
  }
}
