#include <difyd/compose/dotenv.hpp>

#include "../../../daemon/compose/dotenv_parser.hpp"
#include "catch.hpp"

using namespace difyd::compose;

namespace {

text_map parse(std::string_view text) {
  workspace w;
  const auto file = w.add_file("x.env");
  return parse_dotenv(w, file, text, [](std::string_view name) -> std::optional<std::string_view> {
    if (name == "OUTER") return "outer";
    if (name == "BOTH") return "process";
    return std::nullopt;
  });
}

std::string message(std::string_view text) {
  try {
    parse(text);
  } catch (const broken& e) {
    return e.error.message;
  }
  return {};
}

struct row {
  const char* text;
  const char* value;  // of A
};

}  // namespace

TEST_CASE("one line of dotenv") {
  const auto r = GENERATE(
      row{"A=1", "1"}, row{"  A = two words  ", "two words"}, row{"export A=x", "x"}, row{"export\tA=x", "x"},
      row{"A:yaml", "yaml"}, row{"A=a#b", "a#b"}, row{"A=a # c", "a"}, row{"A= #c", "#c"}, row{"A=#d", "#d"},
      row{"A=a\\nb", "a\\nb"}, row{"A=", ""}, row{"A='s $OUTER \\n'", "s $OUTER \\n"},
      row{"A='it\\'s'", "it's"}, row{"A=\"d $OUTER\"", "d outer"},
      row{"A=\"\\n\\t\\r\\\"\\\\\"", "\n\t\r\"\\"}, row{"A=\"\\$OUTER\"", "$OUTER"}, row{"A=\"\\0101\"", "A"},
      row{"A=\"\\x\"", "\\x"}, row{"A='multi\nline'", "multi\nline"}, row{"A=\"multi\nline\"", "multi\nline"},
      row{"A=\"x\"y", "x"}, row{"A=${OUTER}-${N:-d}", "outer-d"}, row{"A=$$OUTER", "$OUTER"},
      row{"B=b\nA=$B", "b"}, row{"A=$B\nB=b", ""}, row{"A=1\nA=2", "2"}, row{"A=1\r\nB=2\r\n", "1"},
      row{"\xEF\xBB\xBF"
          "A=1",
          "1"},
      row{"# c\n\n  # d\nA=1", "1"}, row{"BOTH=file\nA=$BOTH", "process"}, row{"A=\"\"", ""},
      row{"A=http://h:1/x?y=z", "http://h:1/x?y=z"});
  INFO(r.text);
  CHECK(parse(r.text).at("A") == r.value);
}

TEST_CASE("a bare name takes the outer value or is left out") {
  CHECK(parse("OUTER\nABSENT\nA=1\n") == text_map{{"OUTER", "outer"}, {"A", "1"}});
  CHECK(parse("A=1\nOUTER") == text_map{{"OUTER", "outer"}, {"A", "1"}});
}

TEST_CASE("names may have dots, dashes and brackets") {
  CHECK(parse("N.x-y[0]=1") == text_map{{"N.x-y[0]", "1"}});
}

TEST_CASE("broken dotenv says where") {
  CHECK(message("A=1\nB=\"x\n") == "cannot load x.env:2:3: unterminated quoted value \"...");
  CHECK(message("A*=secret") == "cannot load x.env:1:2: unexpected character \"*\" in a variable name");
  CHECK(message("A=1\nA B=1") == "cannot load x.env:2:1: key cannot contain a space");
  CHECK(message("\nA=${N:?why}") == "cannot load x.env:2:3: required variable N is missing a value: why");
  CHECK(message("A=${") == "cannot load x.env:1:3: invalid interpolation format");
}

TEST_CASE("raw env files are taken as they are") {
  workspace w;
  const auto file = w.add_file("x.env");
  const lookup none = [](std::string_view) -> std::optional<std::string_view> { return std::nullopt; };
  CHECK(parse_raw_env(w, file, "A=\"$x\" # y\n# c\nB\nC=1", none) ==
        text_map{{"A", "\"$x\" # y"}, {"C", "1"}});
}

TEST_CASE("the text of an env file can be read on its own") {
  const auto read = read_dotenv("A=1\nB=${A}${C}${N}\nC=own\n", ".env", {{"C", "outer"}});
  REQUIRE(read);
  CHECK(read->variables == text_map{{"A", "1"}, {"B", "1outer"}, {"C", "own"}});
  CHECK(read->warnings == text_list{"The \"N\" variable is not set. Defaulting to a blank string."});
  const auto broken_text = read_dotenv("A='secret", ".env");
  REQUIRE(!broken_text);
  CHECK(broken_text.error().message == "cannot load .env:1:3: unterminated quoted value '...");
}
