// Every refusal is one sentence with the place and the cause.
#include "catch.hpp"
#include "memory_reader.hpp"

using namespace difyd::compose;

namespace {

struct row {
  const char* text;
  const char* message;
};

}  // namespace

TEST_CASE("a bad file is refused with its place") {
  const auto r = GENERATE(
      row{"services:\n  s: {image: i, imagee: x}",
          "2:17: services.s: additional property imagee is not allowed"},
      row{"services:\n  s: {image: 5}", "2:14: services.s.image must be a string, not a whole number"},
      row{"services:\n  s: {image: }", "2:14: services.s.image must be a string, not empty"},
      row{"services:\n  s: {image: i}\n  s: {image: j}", "3:3: mapping key \"s\" already defined at line 2"},
      row{"services: {s: {image: i, depends_on: [t]}}",
          "1:39: service \"s\" depends on undefined service \"t\""},
      row{"services: {a: {image: i, depends_on: [b]}, b: {image: i, depends_on: [a]}}",
          "1:71: dependency cycle detected: a -> b -> a"},
      row{"services: {s: {image: '${N:?why}'}}",
          "1:23: error while interpolating services.s.image: required variable N is missing a value: why"},
      row{"services: {s: {image: i, networks: [n]}}", "1:37: service \"s\" refers to undefined network n"},
      row{"services: {s: {image: i, volumes: ['vol:/x']}}",
          "1:36: service \"s\" refers to undefined volume vol"},
      row{"services: {s: {image: i, env_file: x.env}}", "1:36: env file /p/x.env not found"},
      row{"services: {s: {image: i, ports: ['x']}}", "1:34: Invalid containerPort: x in port \"x\""},
      row{"services: {1: {image: i}}", "1:12: a key must be a string, not a whole number"},
      row{"services: [a]", "1:11: services must be a mapping, not a list"},
      row{"- a", "1:1: the top level must be a mapping, not a list"},
      row{"services: {a: *x}", "1:15: unknown anchor 'x' referenced"},
      row{"services: &x {a: *x}", "1:18: anchor 'x' contains itself"},
      row{"services: {s: {image: i, environment: {A: [1]}}}",
          "1:43: services.s.environment.A must be a string or a number, not a list"},
      row{"services: {s: {image: i, ports: [{target: 5000000000}]}}",
          "1:43: services.s.ports[0].target: 5000000000 is out of range"},
      row{"services: {s: {image: i, tty: 5}}",
          "1:31: services.s.tty must be a boolean (true or false), not a whole number"},
      row{"services:\n\ts: x",
          "2:1: found character that cannot start any token (while scanning for the next token)"});
  INFO(r.text);
  const auto result = load_text(r.text);
  REQUIRE(!result);
  CHECK(result.error().message == "cannot load /p/compose.yaml:" + std::string(r.message));
}

TEST_CASE("what is not there") {
  source from;
  from.cwd = "/p";
  const memory_reader none({});
  CHECK(load(from, none).error().code == "compose-file-not-found");
  from.files = {"x.yaml"};
  CHECK(load(from, none).error().message == "cannot load /p/x.yaml: no such file or directory");
  from.env_files = {"x.env"};
  CHECK(load(from, none).error().code == "env-file-not-found");
}

TEST_CASE("what a name holds neither breaks the line nor steers a terminal") {
  source from;
  from.cwd = "/p";
  from.files = {"a\nb\x1b[2J.yaml"};
  const auto result = load(from, memory_reader({}));
  REQUIRE(!result);
  CHECK(result.error().message == "cannot load /p/a\\nb\\x1b[2J.yaml: no such file or directory");
  CHECK(load_text("services: {\"a\\nb\": {image: i}}").error().message.find('\n') == std::string::npos);
}

TEST_CASE("hostile files are refused, not eaten") {
  std::string deep = "services: ";
  for (int i = 0; i < 3000; ++i) deep += '[';
  CHECK(!load_text(deep));
  std::string laughs = "x-0: &a0 [a, a, a, a, a, a, a, a, a, a]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    laughs += "x-" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) laughs += (j ? ", " : "") + below;
    laughs += "]\n";
  }
  const auto result = load_text(laughs);
  REQUIRE(!result);
  CHECK(result.error().message.find("expands to more than") != std::string::npos);
  CHECK(!load_text(std::string(5 << 20, ' ')));
}
