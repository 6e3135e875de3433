#include "../../../daemon/compose/template.hpp"

#include <map>
#include <vector>

#include "catch.hpp"

using namespace difyd::compose;

namespace {

struct outcome {
  std::string text;
  std::vector<std::string> unset;
};

// A=a, E="", N is not set: the table of REFERENCE 1.6.
outcome run(std::string_view text) {
  static const std::map<std::string, std::string, std::less<>> variables{{"A", "a"}, {"E", ""}, {"_x1", "u"}};
  outcome got;
  const lookup find = [](std::string_view name) -> std::optional<std::string_view> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  got.text = substitute(text, find, [&](std::string_view name) { got.unset.emplace_back(name); });
  return got;
}

struct row {
  const char* input;
  const char* result;
};

}  // namespace

TEST_CASE("interpolation") {
  const auto r = GENERATE(
      row{"${N:-${M:-deep}}", "deep"}, row{"$$A", "$A"}, row{"$${A}", "${A}"},
      row{"${N:-a${A}b${A}c}", "aabac"}, row{"$$$A", "$a"}, row{"${N:-$$A}", "$A"}, row{"$", "$"},
      row{"a$", "a$"}, row{"$1", "$1"}, row{"${N:-{}}", "{}"}, row{"${N:-a}b}", "ab}"}, row{"$A.B", "a.B"},
      row{"${N:-a:-b}", "a:-b"}, row{"${E?msg}", ""}, row{"${N:-http://x:1/a?b=c}", "http://x:1/a?b=c"},
      row{"${N:-'q'}", "'q'"}, row{"${A:+r}", "r"}, row{"${E:+r}", ""}, row{"${E+r}", "r"}, row{"${N+r}", ""},
      row{"${N:+r}", ""}, row{"${E-d}", ""}, row{"${E:-d}", "d"}, row{"${N-d}", "d"}, row{"${A}${A}", "aa"},
      row{"x${A}y$A", "xaya"}, row{"${_x1}", "u"}, row{"${N:-}", ""}, row{"${N:-{}", "{"},
      row{"{${A}}", "{a}"}, row{"${N:-{a}} ${A}", "{a} a"}, row{"", ""},
      row{"${A:-${M:?not evaluated}}", "a"}, row{"${N:-x}\n${A}", "x\na"});
  INFO(r.input);
  CHECK(run(r.input).text == r.result);
}

TEST_CASE("an unset variable is empty and warned of") {
  const auto got = run("[${N}$M]");
  CHECK(got.text == "[]");
  CHECK(got.unset == std::vector<std::string>{"N", "M"});
}

TEST_CASE("what is no template") {
  const auto text = GENERATE("${1}", "${A!}", "${A.B}", "${ A }", "${A", "${}", "${A:}", "${N:-a\nb}");
  INFO(text);
  CHECK_THROWS_AS(run(text), invalid_template);
}

TEST_CASE("an error does not show the rest of a value") {
  try {
    run("postgres://user:secret@${A!}/more-secret");
    FAIL("accepted");
  } catch (const invalid_template& e) {
    CHECK(std::string(e.what()) == "${A!}");
  }
}

TEST_CASE("a required variable") {
  struct missing {
    const char* input;
    const char* message;
  };
  const auto r = GENERATE(missing{"${N:?no ${A}}", "required variable N is missing a value: no a"},
                          missing{"${N?gone}", "required variable N is missing a value: gone"},
                          missing{"${E:?}", "required variable E is missing a value"});
  CHECK_THROWS_WITH(run(r.input), r.message);
}

TEST_CASE("defaults of defaults end somewhere") {
  std::string text = "x";
  for (int i = 0; i < 5000; ++i) text = "${N:-" + text + "}";
  CHECK_THROWS_AS(run(text), invalid_template);
}
