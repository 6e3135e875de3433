#include "difyd/release/advisories.hpp"

#include <algorithm>

#include "catch.hpp"
#include "source_dir.hpp"

using namespace difyd;
using namespace difyd::release;

namespace {

version v(std::string_view text) {
  auto read = parse_version(text);
  REQUIRE(read);
  return *read;
}

advisory_book shipped() {
  auto book = load_advisories(source_dir() + "/config/advisories.yaml");
  if (!book) FAIL(sentence(book.error()));
  return *book;
}

std::vector<std::string> ids(const std::vector<advisory>& list, bool notes) {
  std::vector<std::string> result;
  for (const auto& each : list)
    if (must_be_acknowledged(each) != notes) result.push_back(each.id);
  return result;
}

using texts = std::vector<std::string>;

struct hop {
  const char* from;
  const char* to;
  texts wanted;  // to be acknowledged
  texts notes;
};

// One entry as the shipped file has them, for what is wrong with a file.
std::string file_with(const std::string& entry) {
  return "format: 1\nnewest_known: 1.2.0\nadvisories:\n" + entry;
}
const std::string good =
    "  - id: a\n    kind: manual\n    from: \"<1.0.0\"\n    to: \">=1.0.0\"\n    text: t\n    source: s\n";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  return text.replace(text.find(what), what.size(), by);
}

}  // namespace

TEST_CASE("the hops of real releases") {
  const auto book = shipped();
  const std::vector<hop> hops = {
      {"1.11.3", "1.11.4", {}, {}},
      {"1.11.4", "1.12.1", {}, {}},
      {"1.12.0", "1.12.1", {}, {}},
      {"0.15.3", "1.0.0", {"plugin-database-1.0", "plugins-1.0"}, {}},
      {"1.0.0", "1.4.0", {}, {}},
      {"1.4.0",
       "1.9.2",
       {"statement-timeout-1.9", "weaviate-1.27", "datasource-credentials-1.9"},
       {"midway-1.5"}},
      {"1.9.1", "1.9.2", {"statement-timeout-1.9", "weaviate-1.27"}, {}},
      {"1.9.2",
       "1.10.1",
       {"storage-owner-1.10.1"},
       {"database-service-1.10.1", "statement-timeout-1.10.1", "trigger-url-1.10.1"}},
      {"1.9.2",
       "1.11.4",
       {},
       {"storage-owner-1.11", "database-service-1.10.1", "statement-timeout-1.10.1", "trigger-url-1.10.1",
        "database-keys-1.11", "tls-1.11"}},
      {"1.10.1", "1.11.3", {}, {"storage-owner-1.11", "database-keys-1.11", "tls-1.11"}},
      {"1.12.1", "1.13.0", {"celery-queues-1.13"}, {}},
      {"1.13.0", "1.13.3", {"sandbox-python-1.13.3"}, {"midway-1.13.1", "event-bus-1.13"}},
      {"1.13.1", "1.13.2", {}, {"event-bus-1.13"}},
      {"1.13.3", "1.14.0", {}, {"postgres-settings-1.14", "plugin-daemon-1.14"}},
      {"1.14.0", "1.14.2", {}, {"environment-split-1.14.1"}},
      {"1.14.2", "1.15.0", {"private-addresses-1.15", "plugin-upgrades-1.15", "model-types-1.15"}, {}},
      {"1.15.0", "1.16.0", {"agent-secret-1.16"}, {"agent-services-1.16"}},
      {"1.15.0",
       "1.17.0",
       {"agent-secret-1.16", "slow-index-1.17"},
       {"agent-services-1.16", "agent-proxy-1.16.1", "edition-1.17"}},
      {"1.17.0", "1.17.1", {"weaviate-1.39", "model-types-1.17.1"}, {}},
      {"1.17.1", "1.18.0", {"sandbox-token-1.18"}, {"agents-1.18", "password-pepper-1.18"}},
      {"1.18.0", "1.19.0", {"unknown-release"}, {}},
      {"1.18.0", "1.18.1", {"unknown-release"}, {}},
      {"1.12.1", "1.12.1", {}, {}},
      {"1.13.0", "1.12.1", {}, {}},
  };
  for (const auto& each : hops) {
    CAPTURE(each.from, each.to);
    const auto list = advisories_for(book, v(each.from), v(each.to));
    CHECK(ids(list, false) == each.wanted);
    CHECK(ids(list, true) == each.notes);
  }
}

TEST_CASE("a jump has what its hops have, and the stops that it passes over") {
  const auto book = shipped();
  const auto far = advisories_for(book, v("0.15.3"), v("1.18.0"));
  REQUIRE(far.size() > 20);
  CHECK(far[0].id == "stop-at-1.0");
  CHECK(far[1].id == "stop-at-weaviate-1.27");
  CHECK(far.back().kind == advisory_kind::note);
  // Superseded on the way: 1.11 changes the owner, 1.17.1 the model types by themselves.
  const auto all = ids(far, false);
  for (const char* gone : {"storage-owner-1.10.1", "model-types-1.15", "statement-timeout-1.9"})
    CHECK(std::ranges::find(all, gone) == all.end());
  CHECK(ids(advisories_for(book, v("1.0.0"), v("1.17.0")), false).front() != "stop-at-weaviate-1.27");
  CHECK(advisories_for(book, v("1.9.2"), v("1.17.1")).front().kind != advisory_kind::stop);
}

TEST_CASE("a job says where and what to run, a value which key") {
  for (const auto& each : shipped().advisories) {
    CAPTURE(each.id);
    const bool job = each.kind == advisory_kind::before || each.kind == advisory_kind::after;
    CHECK(each.commands.empty() != job);
    CHECK(each.service.empty() != job);
    CHECK(each.key.empty() != (each.kind == advisory_kind::value));
    CHECK(each.text.ends_with('.'));
    CHECK(each.text.find('\n') == std::string::npos);
    CHECK(std::ranges::count(each.source, '(') == std::ranges::count(each.source, ')'));  // " #" is a comment
  }
  CHECK(shipped().renamed_keys.at("PUBSUB_REDIS_URL") == "EVENT_BUS_REDIS_URL");
}

TEST_CASE("what does not concern this environment is left out") {
  struct row {
    const char* when;
    text_map published, values;
    bool holds;
  };
  const std::vector<row> rows = {{"", {}, {}, true},
                                 {"KEY", {}, {}, false},
                                 {"KEY", {{"KEY", "1"}}, {{"KEY", "1"}}, false},
                                 {"KEY", {{"KEY", "1"}}, {}, false},
                                 {"KEY", {{"KEY", "1"}}, {{"KEY", ""}}, false},
                                 {"KEY", {{"KEY", "1"}}, {{"KEY", "2"}}, true},
                                 {"KEY", {}, {{"KEY", "2"}}, true},
                                 {"KEY=1", {}, {{"KEY", "2"}}, false},
                                 {"KEY=1", {{"KEY", "1"}}, {{"KEY", "2"}}, false},
                                 {"KEY=1", {{"KEY", "1"}}, {{"KEY", "1"}}, true},
                                 {"KEY=a=b", {}, {{"KEY", "a=b"}}, true}};
  for (const auto& each : rows) {
    CAPTURE(each.when, each.published, each.values);
    const auto book = parse_advisories(
        file_with(good) + (*each.when ? std::string("    when: ") + each.when + "\n" : ""), "f");
    REQUIRE(book);
    CHECK(concerning(book->advisories, each.published, each.values).size() == (each.holds ? 1 : 0));
  }
  // Weaviate's hops are no concern of who has another vector store.
  const auto hop = advisories_for(shipped(), v("1.9.1"), v("1.9.2"));
  const auto names = [&](const char* store) {
    return ids(concerning(hop, {{"VECTOR_STORE", "weaviate"}}, {{"VECTOR_STORE", store}, {"DB_HOST", "db"}}),
               false);
  };
  CHECK(names("weaviate") == texts{"statement-timeout-1.9", "weaviate-1.27"});
  CHECK(names("pgvector") == texts{"statement-timeout-1.9"});
}

TEST_CASE("refused until everything but notes is acknowledged") {
  const auto list = advisories_for(shipped(), v("1.14.0"), v("1.15.0"));
  struct row {
    std::set<std::string> acknowledged;
    std::string missing;
  };
  const std::vector<row> rows = {
      {{}, "private-addresses-1.15, plugin-upgrades-1.15, model-types-1.15"},
      {{"plugin-upgrades-1.15"}, "private-addresses-1.15, model-types-1.15"},
      {{"mistyped", "private-addresses-1.15", "plugin-upgrades-1.15"}, "model-types-1.15"},
      {{"private-addresses-1.15", "plugin-upgrades-1.15", "model-types-1.15"}, ""},
  };
  for (const auto& each : rows) {
    CAPTURE(each.missing);
    const auto verdict = refuse_unless_acknowledged(list, each.acknowledged, v("1.15.0"));
    CHECK(verdict.has_value() == each.missing.empty());
    if (verdict) continue;
    CHECK(verdict.error().code == "advisories");
    CHECK(verdict.error().message == "cannot upgrade to 1.15.0: not acknowledged: " + each.missing);
    CHECK(verdict.error().remedy.ends_with(
        "difyd upgrade 1.15.0 --acknowledge private-addresses-1.15 --acknowledge plugin-upgrades-1.15 "
        "--acknowledge model-types-1.15"));
  }
  const auto newer = advisories_for(shipped(), v("1.18.0"), v("2.0.0"));
  CHECK_FALSE(refuse_unless_acknowledged(newer, {}, v("2.0.0")));
  CHECK(refuse_unless_acknowledged(newer, {"unknown-release"}, v("2.0.0")));
  CHECK(refuse_unless_acknowledged({}, {}, v("1.12.1")));
}

TEST_CASE("what is acknowledged exists, in the hop or beside it") {
  const auto& book = shipped();
  const auto hop = advisories_for(book, v("1.14.0"), v("1.15.0"));
  const auto told = [&](const std::set<std::string>& acknowledged) {
    return beside_the_hop(book, hop, acknowledged, v("1.15.0"));
  };
  CHECK(told({}) == texts{});
  CHECK(told({"plugin-upgrades-1.15"}) == texts{});
  CHECK(told({"plugin-upgrades-1.15", "plugins-1.0", "unknown-release"}) ==
        texts{"plugins-1.0", "unknown-release"});
  const auto mistyped = told({"plugin-upgrade-1.15", "plugins-1.0"});
  REQUIRE_FALSE(mistyped);
  CHECK(mistyped.error().code == "no-such-advisory");
  CHECK(mistyped.error().message == "cannot upgrade to 1.15.0: there is no advisory plugin-upgrade-1.15");
  CHECK(mistyped.error().remedy.starts_with("Did you mean plugin-upgrades-1.15? Those that apply: "));
  CHECK(mistyped.error().remedy.find("private-addresses-1.15") != std::string::npos);
  const auto nothing = beside_the_hop(book, {}, {"xyzzy"}, v("1.11.4"));
  REQUIRE_FALSE(nothing);
  CHECK(nothing.error().remedy == "No advisory applies: leave --acknowledge out");
}

TEST_CASE("mistakes in the file have a place") {
  struct row {
    std::string text;
    std::string place;
    std::string cause;
  };
  const std::string file = file_with(good);
  const std::vector<row> rows = {
      {"a: [", "2:1", ""},
      {"[]", "1:1", "it is not a map of keys"},
      {"newest_known: 1.2.0\n", "1:1", "format is missing"},
      {replaced(file, "format: 1", "format: x"), "1:9", "format wants a number"},
      {replaced(file, "1.2.0", "1.2"), "2:15", "cannot read version \"1.2\""},
      {"newest: 1\n" + file, "1:1", "unknown key newest"},
      {replaced(file, "kind: manual", "kind: maybe"), "5:11", "unknown kind maybe"},
      {replaced(file, "\"<1.0.0\"", "1.0.0"), "6:11", "from wants comparisons"},
      {replaced(file, ">=1.0.0", ">=1.x"), "7:9", "cannot read version \"1.x\""},
      {replaced(file, "text: t", "text: ''"), "8:11", "text wants a text"},
      {replaced(file, "    source: s\n", ""), "4:5", "source is missing"},
      {replaced(file, "source", "sauce"), "9:5", "unknown key sauce"},
      {replaced(file, "id: a", "id: A b"), "4:9", "id takes lower-case letters"},
      {replaced(file, "id: a", "id: unknown-release"), "4:9", "unknown-release is difyd's own id"},
      {file + good, "10:9", "id a is given twice"},
      {file + "    key: K\n", "10:5", "key does not belong to kind manual"},
      {replaced(file, "kind: manual", "kind: after"), "4:5", "service is missing"},
      {replaced(file, "kind: manual", "kind: before\n    service: api\n    commands: x"), "7:15",
       "commands wants a list"},
      {replaced(file, "kind: manual", "kind: value"), "4:5", "key is missing"},
      {replaced(file, "text: t", "text: t\n    when: =x"), "9:11", "when wants KEY or KEY=VALUE"},
      {replaced(file, "text: t", "text: t\n    when: KEY="), "9:11", "when wants KEY or KEY=VALUE"},
      {replaced(file, "text: t", "text: t\n    when: a b"), "9:11", "when wants KEY or KEY=VALUE"},
      {replaced(file, "text: t", "text: t\n    when: [A]"), "9:11", "when wants a text"},
      {file + "renamed_keys: [A]\n", "10:15", "renamed_keys wants a map"},
  };
  CHECK(parse_advisories(file, "f"));
  for (const auto& each : rows) {
    CAPTURE(each.text);
    const auto book = parse_advisories(each.text, "dir/f.yaml");
    REQUIRE_FALSE(book);
    CHECK(book.error().code == "advisories-invalid");
    CHECK(book.error().message.find("cannot use dir/f.yaml:" + each.place + ": " + each.cause) == 0);
  }
}

TEST_CASE("a newer format is refused in one sentence") {
  const auto book = parse_advisories("format: 2\nwonders: [{at: all}]\n", "f.yaml");
  REQUIRE_FALSE(book);
  CHECK(book.error().code == "advisories-format");
  CHECK(book.error().message == "cannot use f.yaml:1:9: it has format 2, and this difyd reads format 1");
  const auto missing = load_advisories("/nonexistent/advisories.yaml");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == "advisories-unreadable");
}
