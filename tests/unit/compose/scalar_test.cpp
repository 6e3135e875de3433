#include "../../../daemon/compose/scalar.hpp"

#include "../../../daemon/compose/units.hpp"
#include "catch.hpp"

using namespace difyd::compose;
using namespace std::chrono_literals;

namespace {

struct row {
  const char* text;
  kind is;
  const char* printed;
};

}  // namespace

TEST_CASE("plain scalars") {
  const auto r = GENERATE(
      row{"yes", kind::text, "yes"}, row{"no", kind::text, "no"}, row{"on", kind::text, "on"},
      row{"y", kind::text, "y"}, row{"true", kind::boolean, "true"}, row{"True", kind::boolean, "true"},
      row{"FALSE", kind::boolean, "false"}, row{"tRue", kind::text, "tRue"}, row{"~", kind::null, ""},
      row{"null", kind::null, ""}, row{"Null", kind::null, ""}, row{"", kind::null, ""},
      row{"017", kind::integer, "15"}, row{"0o17", kind::integer, "15"}, row{"08", kind::real, "8"},
      row{"0b11", kind::integer, "3"}, row{"0x1F", kind::integer, "31"}, row{"1_000", kind::integer, "1000"},
      row{"-5", kind::integer, "-5"}, row{"+5", kind::integer, "5"}, row{"22:22", kind::text, "22:22"},
      row{"1.0", kind::real, "1"}, row{"1.50", kind::real, "1.5"}, row{"1e3", kind::real, "1000"},
      row{"1234567.0", kind::real, "1.234567e+06"}, row{"1e-7", kind::real, "1e-07"},
      row{".5", kind::real, "0.5"}, row{"1.2.3", kind::text, "1.2.3"}, row{".inf", kind::real, "+Inf"},
      row{"-.INF", kind::real, "-Inf"}, row{"2024-01-01", kind::time, "2024-01-01 00:00:00 +0000 UTC"},
      row{"2024-13-01", kind::text, "2024-13-01"},
      row{"2024-01-01T10:20:30Z", kind::time, "2024-01-01 10:20:30 +0000 UTC"}, row{"-", kind::text, "-"},
      row{".", kind::text, "."}, row{"+", kind::text, "+"}, row{"1e", kind::text, "1e"},
      row{"0.5", kind::real, "0.5"});
  workspace w;
  const node n = resolve_scalar(w, r.text, {});
  INFO(r.text);
  CHECK(n.is == r.is);
  CHECK(std::string(n.text) == r.printed);
}

TEST_CASE("durations") {
  struct time_row {
    const char* text;
    std::chrono::nanoseconds time;
    const char* printed;
  };
  const auto r =
      GENERATE(time_row{"90s", 90s, "1m30s"}, time_row{"1500ms", 1500ms, "1.5s"},
               time_row{"1h0m1.5s", 3601500ms, "1h0m1.5s"}, time_row{"1h", 1h, "1h0m0s"},
               time_row{"0", 0s, "0s"}, time_row{"100us", 100us, "100\xC2\xB5s"}, time_row{"7ns", 7ns, "7ns"},
               time_row{"2d", 48h, "48h0m0s"}, time_row{"-1s", -1s, "-1s"}, time_row{".5s", 500ms, "500ms"});
  INFO(r.text);
  REQUIRE(parse_duration(r.text));
  CHECK(*parse_duration(r.text) == r.time);
  CHECK(print_duration(r.time) == r.printed);
}

TEST_CASE("no durations") {
  for (const auto* text : {"", "90", "s", "1x", "1 s", "1s2", "--1s"}) {
    INFO(text);
    CHECK(!parse_duration(text));
  }
}

TEST_CASE("sizes") {
  struct size_row {
    const char* text;
    byte_count bytes;
  };
  const auto r = GENERATE(size_row{"64m", 67108864}, size_row{"64M", 67108864}, size_row{"1.5 kb", 1536},
                          size_row{"1GiB", 1073741824}, size_row{"-1", -1}, size_row{"12", 12},
                          size_row{"12b", 12}, size_row{".5k", 512}, size_row{"1t", 1099511627776});
  INFO(r.text);
  CHECK(parse_bytes(r.text) == r.bytes);
  for (const auto* text : {"", "12q", "m", "1kx", "1 2", "-5"}) CHECK(!parse_bytes(text));
}

TEST_CASE("command lines") {
  CHECK(split_command("sh -c 'a \"b\"' c\\ d \"x'y\"") == text_list{"sh", "-c", "a \"b\"", "c d", "x'y"});
  CHECK(split_command("echo a && echo b") == text_list{"echo", "a"});
  CHECK(split_command("") == text_list{});
  CHECK(split_command("a ''") == text_list{"a", ""});
  CHECK(!split_command("a 'b"));
  CHECK(split_command("a $(b 'c) d `e f`") == text_list{"a", "$(b 'c)", "d", "`e f`"});
  CHECK(split_command("a\\nb c 2>d") == text_list{"anb", "c"});
  for (const auto* open : {"a $(b", "a `b", "a (b)", "a $(b (c))", "a )"}) CHECK(!split_command(open));
}
