#include "catch.hpp"
#include "difyd/model/finding.hpp"
#include "difyd/model/phase.hpp"
#include "difyd/model/revision.hpp"
#include "difyd/model/version.hpp"

using namespace difyd;

TEST_CASE("versions are read and ordered") {
  CHECK(parse_version("1.11.4")->text() == "1.11.4");
  CHECK(parse_version("1.16.0-rc1")->text() == "1.16.0-rc1");
  CHECK(*parse_version("1.9.2") < *parse_version("1.11.4"));
  CHECK(*parse_version("1.16.0-rc1") < *parse_version("1.16.0"));
  for (const auto* bad :
       {"", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.x", "1.2.3-", "1.2.3-a b", "-1.2.3", "../1.2.3"}) {
    INFO(bad);
    const auto result = parse_version(bad);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == "bad-version");
  }
}

TEST_CASE("revisions are found in flask's output") {
  struct row {
    const char* output;
    std::optional<revision> expected;
  };
  const row rows[] = {
      {"905527cc8fd3 (head)\n", revision{"905527cc8fd3"}},
      {"905527cc8fd3\n", revision{"905527cc8fd3"}},
      {"INFO  [alembic] Context impl\n905527cc8fd3 (head)\n", revision{"905527cc8fd3"}},
      {"", std::nullopt},
      {"905527cc8fd3 (head)\n788d3099ae3a (head)\n", std::nullopt},
      {"Traceback\n", std::nullopt},
  };
  for (const auto& each : rows) {
    INFO(each.output);
    CHECK(parse_revision(each.output) == each.expected);
  }
}

TEST_CASE("phases have one spelling") {
  for (const auto each : {phase::starting, phase::waiting_for_lease, phase::serving, phase::upgrading,
                          phase::holding, phase::stopped})
    CHECK(parse_phase(to_text(each)) == each);
  CHECK_FALSE(parse_phase("sleeping"));
}

TEST_CASE("the worst finding decides") {
  CHECK(worst({}) == severity::ok);
  finding a, b;
  a.level = severity::warning;
  b.level = severity::error;
  CHECK(worst({a, b}) == severity::error);
}
