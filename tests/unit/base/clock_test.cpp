#include "difyd/base/clock.hpp"

#include "catch.hpp"

using namespace difyd;

TEST_CASE("times are read as they are written, and as the engine writes them") {
  for (const auto* each : {"2026-11-20T13:17:02.356Z", "1970-01-01T00:00:00.000Z"})
    CHECK(to_rfc3339(parse_rfc3339(each).value()) == each);
  CHECK(to_rfc3339(parse_rfc3339("2026-11-20T01:17:02.356789123+09:00").value()) ==
        "2026-11-19T16:17:02.356Z");
  CHECK(to_rfc3339(parse_rfc3339("2026-11-20T13:17:02-03:30").value()) == "2026-11-20T16:47:02.000Z");
}

TEST_CASE("times that no clock shows are none") {
  for (const auto* each : {"0001-01-01T00:00:00Z", "1754-08-30T22:43:42.-871Z", "2262-01-01T00:00:00Z", "",
                           "2026-13-01T00:00:00Z", "2026-11-20T13:17:02", "2026-11-20T13:17:02+9:00",
                           "2026-11-20T13:17:02+24:00", "2026-11-20T13:17:02Zulu"})
    CHECK_FALSE(parse_rfc3339(each));
}
