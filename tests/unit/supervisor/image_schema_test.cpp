#include "../../../daemon/supervisor/image_schema.hpp"

#include "catch.hpp"

using namespace difyd;
using namespace difyd::supervisor;

namespace {

// a - b - d - e, and a - c - d: d merges.
const std::vector<migration_script> scripts = {{"e", {"d"}, "", "COMMIT"},
                                               {"c", {"a"}, "", ""},
                                               {"d", {"b", "c"}, "", ""},
                                               {"a", {}, "", ""},
                                               {"b", {"a"}, "", "autocommit_block"}};

std::string chain(const std::vector<control::planned_migration>& list) {
  std::string text;
  for (const auto& each : list) text += each.revision;
  return text;
}

}  // namespace

TEST_CASE("the migrations between two revisions, in the order in which they run") {
  struct row {
    const char* from;
    const char* head;
    const char* chain;
    const char* count;
  };
  const row rows[] = {{"", "e", "abcde", "5 migrations, 2 commit midway"},
                      {"a", "e", "bcde", "4 migrations, 2 commit midway"},
                      {"b", "d", "cd", "2 migrations"},
                      {"d", "e", "e", "1 migration, 1 commits midway"},
                      {"e", "e", "", "no migration"}};
  for (const auto& each : rows) {
    INFO(each.from << " " << each.head);
    const auto result = pending(scripts, {each.from}, {each.head});
    REQUIRE(result);
    CHECK(chain(*result) == each.chain);
    CHECK(count_text(*result) == each.count);
  }
}

TEST_CASE("a revision that the image does not know") {
  CHECK(pending(scripts, {"f"}, {"e"}).error().code == "revision-unknown");
  CHECK(pending(scripts, {"a"}, {"f"}).error().code == "image-scripts-unknown");
}

TEST_CASE("scripts come one a line") {
  const auto read = parse_scripts(
      "{\"revision\":\"b\",\"down\":[\"a\"],\"text\":\"Words.\",\"commits\":\"\"}\n\n"
      "{\"revision\":\"a\",\"down\":[],\"text\":\"\",\"commits\":\"COMMIT\"}\n");
  REQUIRE(read);
  CHECK(*read == std::vector<migration_script>{{"b", {"a"}, "Words.", ""}, {"a", {}, "", "COMMIT"}});
  CHECK_FALSE(parse_scripts("Traceback"));
  CHECK_FALSE(parse_scripts("{\"revision\":\"b\"}"));
}
