#include "difyd/release/env_diff.hpp"

#include <algorithm>
#include <cstdlib>

#include "catch.hpp"
#include "difyd/base/durable_file.hpp"
#include "source_dir.hpp"

using namespace difyd;
using namespace difyd::release;

namespace {

const key_map renames = {{"PUBSUB_REDIS_URL", "EVENT_BUS_REDIS_URL"}, {"EDITION", "DEPLOYMENT_EDITION"}};

std::string line(const env_difference& each) {
  const auto shown = [](const std::string& text) { return text.empty() ? std::string("-") : text; };
  return each.key + (each.new_key.empty() ? "" : ">" + each.new_key) + " " + std::string(to_text(each.kind)) +
         " " + shown(each.old_default) + " " + shown(each.new_default) + " " + shown(each.in_force) + " " +
         shown(each.then_in_force) + " " + shown(each.matters);
}

std::vector<std::string> lines(const std::vector<env_difference>& list) {
  std::vector<std::string> result;
  for (const auto& each : list) result.push_back(line(each));
  return result;
}

const env_difference* find(const std::vector<env_difference>& list, std::string_view key) {
  const auto each = std::ranges::find(list, key, &env_difference::key);
  return each == list.end() ? nullptr : &*each;
}

// .env.example of a real release; nullopt where the releases are not at hand.
std::optional<text_map> published(const std::string& version) {
  const char* named = std::getenv("DIFYD_BUNDLES");
  const std::string folder = named ? named : source_dir() + "/../shared/dify";
  const auto text = read_file(folder + "/" + version + "/docker/.env.example");
  if (!text) return std::nullopt;
  auto read = read_environment(*text);
  REQUIRE(read);
  return *read;
}

}  // namespace

TEST_CASE("one key: what is told of it") {
  struct row {
    const char* about;
    text_map was, is;
    std::optional<text_map> forced, then;
    std::vector<std::string> wanted;  // key kind old new in-force then reason
  };
  const std::vector<row> rows = {
      {"nothing", {{"A", "1"}}, {{"A", "1"}}, text_map{{"A", "2"}}, text_map{{"A", "2"}}, {}},
      {"added", {}, {{"A", "1"}}, {}, {}, {"A added - 1 - - -"}},
      {"removed", {{"A", "1"}}, {}, {}, {}, {"A removed 1 - - - -"}},
      {"removed, of concern, where nobody knows what was in force",
       {{"PGUSER", "1"}},
       {},
       {},
       {},
       {"PGUSER removed 1 - - - database"}},
      {"removed, its default in force",
       {{"PGUSER", "1"}},
       {},
       text_map{{"PGUSER", "1"}},
       text_map{},
       {"PGUSER removed 1 - 1 - -"}},
      {"changed", {{"A", "1"}}, {{"A", "2"}}, {}, {}, {"A changed 1 2 - - -"}},
      {"a database's default, in force with it",
       {{"DB_HOST", "db"}},
       {{"DB_HOST", "db_postgres"}},
       text_map{{"DB_HOST", "db"}},
       text_map{{"DB_HOST", "db_postgres"}},
       {"DB_HOST changed db db_postgres db db_postgres database"}},
      {"only what is in force",
       {{"EXPOSE_NGINX_PORT", "80"}},
       {{"EXPOSE_NGINX_PORT", "80"}},
       text_map{{"EXPOSE_NGINX_PORT", "80"}},
       text_map{{"EXPOSE_NGINX_PORT", "81"}},
       {"EXPOSE_NGINX_PORT value 80 80 80 81 ports"}},
      {"one side in force only", {{"A", "1"}}, {{"A", "1"}}, text_map{{"A", "2"}}, {}, {}},
      {"an own key of neither release",
       {},
       {},
       text_map{{"MINE", "1"}},
       text_map{},
       {"MINE value - - 1 - -"}},
      {"removed with the operator's value",
       {{"A", "1"}},
       {},
       text_map{{"A", "7"}},
       text_map{},
       {"A removed 1 - 7 - own value"}},
      {"renamed",
       {{"EDITION", "S"}},
       {{"DEPLOYMENT_EDITION", "S"}},
       {},
       {},
       {"EDITION>DEPLOYMENT_EDITION renamed S S - - -"}},
      {"renamed with the operator's value, which is lost",
       {{"EDITION", "S"}},
       {{"DEPLOYMENT_EDITION", "S"}},
       text_map{{"EDITION", "X"}},
       text_map{{"DEPLOYMENT_EDITION", "S"}},
       {"EDITION>DEPLOYMENT_EDITION renamed S S X S own value"}},
      {"not renamed: both names were there",
       {{"EDITION", "S"}, {"DEPLOYMENT_EDITION", "S"}},
       {{"DEPLOYMENT_EDITION", "S"}},
       {},
       {},
       {"EDITION removed S - - - -"}},
      {"a vector store that is not in use",
       {{"VECTOR_STORE", "weaviate"}, {"QDRANT_CLIENT_TIMEOUT", "1"}},
       {{"VECTOR_STORE", "weaviate"}, {"QDRANT_CLIENT_TIMEOUT", "2"}},
       {},
       {},
       {"QDRANT_CLIENT_TIMEOUT changed 1 2 - - -"}},
      {"the one in use",
       {{"VECTOR_STORE", "weaviate"}, {"QDRANT_URL", "1"}},
       {{"VECTOR_STORE", "weaviate"}, {"QDRANT_URL", "2"}},
       text_map{{"VECTOR_STORE", "qdrant"}, {"QDRANT_URL", "1"}},
       text_map{{"VECTOR_STORE", "qdrant"}, {"QDRANT_URL", "2"}},
       {"QDRANT_URL changed 1 2 1 2 vector store"}},
      {"the storage in use",
       {{"STORAGE_TYPE", "aliyun-oss"}, {"ALIYUN_OSS_PATH", "1"}, {"S3_REGION", "1"}},
       {{"STORAGE_TYPE", "aliyun-oss"}, {"ALIYUN_OSS_PATH", "2"}, {"S3_REGION", "2"}},
       {},
       {},
       {"ALIYUN_OSS_PATH changed 1 2 - - storage", "S3_REGION changed 1 2 - - -"}},
  };
  for (const auto& each : rows) {
    CAPTURE(each.about);
    CHECK(lines(env_diff({each.was, each.forced}, {each.is, each.then}, renames)) == each.wanted);
  }
}

TEST_CASE("secrets are told by words") {
  struct row {
    std::optional<std::string> was, is, forced, then;
    std::string wanted;  // kind old new in-force then reason
  };
  const std::vector<row> rows = {
      {"p", "", "own", "own", "changed set - set set secret"},
      {"p", "", "p", "p", "changed set - default set secret"},
      {"p", "", "p", "", "changed set - default - secret"},
      {"p", "q", "p", "q", "changed set changed default default secret"},
      {"p", "q", "own", "other", "changed set changed set changed secret"},
      {"p", "p", "own", "other", "value set set set changed secret"},
      {"p", "p", "p", "own", "value set set default changed secret"},
      {{}, "p", {}, "p", "added - set - default secret"},
      {{}, "", {}, "", "added - - - - -"},
      {{}, "", {}, "own", "added - - - set secret"},
      {"p", {}, "p", {}, "removed set - default - -"},
      {"p", {}, "own", {}, "removed set - set - own value"},
      {"", {}, "", {}, "removed - - - - -"},
  };
  for (const auto& each : rows) {
    const auto map = [](const std::optional<std::string>& value) {
      return value ? text_map{{"SECRET_KEY", *value}} : text_map{};
    };
    CAPTURE(each.wanted);
    const auto list = env_diff({map(each.was), map(each.forced)}, {map(each.is), map(each.then)}, {});
    REQUIRE(list.size() == 1);
    CHECK(line(list[0]) == "SECRET_KEY " + each.wanted);
    CHECK(list[0].secret);
  }
}

TEST_CASE("what matters comes first, by its reason") {
  const text_map before = {{"VECTOR_STORE", "weaviate"}, {"GONE", "1"}, {"A_TIMEOUT", "1"}, {"ZONE", "1"}};
  const text_map after = {{"VECTOR_STORE", "weaviate"},
                          {"A_TIMEOUT", "2"},
                          {"EXPOSE_X_PORT", "1"},
                          {"DB_HOST", "x"},
                          {"SECRET_KEY", "s"},
                          {"WEAVIATE_X", "1"},
                          {"STORAGE_X", "1"},
                          {"ALPHA", "1"},
                          {"ZONE", "2"}};
  std::vector<std::string> keys;
  for (const auto& each : env_diff({before, text_map{{"GONE", "own"}}}, {after, std::nullopt}, {}))
    keys.push_back(each.key);
  CHECK(keys == std::vector<std::string>{"GONE", "SECRET_KEY", "DB_HOST", "STORAGE_X", "WEAVIATE_X",
                                         "EXPOSE_X_PORT", "A_TIMEOUT", "ALPHA", "ZONE"});
}

TEST_CASE("the published environments of real releases") {
  const std::vector<std::string> versions = {"1.0.0",  "1.9.2",  "1.11.3", "1.11.4", "1.12.1",
                                             "1.13.0", "1.14.0", "1.15.0", "1.16.0"};
  const auto book = load_advisories(source_dir() + "/config/advisories.yaml");
  REQUIRE(book);
  struct row {
    int added, removed, renamed, changed;
  };
  const std::vector<row> wanted = {{202, 5, 0, 10}, {77, 3, 0, 8}, {1, 0, 0, 0},    {2, 0, 0, 0},
                                   {8, 0, 0, 0},    {34, 1, 3, 2}, {10, 506, 0, 3}, {23, 1, 0, 1}};
  for (std::size_t i = 0; i + 1 < versions.size(); ++i) {
    const auto before = published(versions[i]), after = published(versions[i + 1]);
    if (!before || !after) {
      WARN("skipped: no real release " << versions[i] << " or " << versions[i + 1]);
      continue;
    }
    CAPTURE(versions[i], versions[i + 1]);
    const auto list = env_diff({*before, *before}, {*after, *after}, book->renamed_keys);
    const auto count = [&](env_change kind) { return std::ranges::count(list, kind, &env_difference::kind); };
    CHECK(count(env_change::added) == wanted[i].added);
    CHECK(count(env_change::removed) == wanted[i].removed);
    CHECK(count(env_change::renamed) == wanted[i].renamed);
    CHECK(count(env_change::changed) == wanted[i].changed);
    CHECK(count(env_change::value) == 0);
    for (const auto& each : list) {
      if (!each.secret) continue;
      for (const auto* shown : {&each.old_default, &each.new_default, &each.in_force, &each.then_in_force})
        CHECK((shown->empty() || *shown == "set" || *shown == "default" || *shown == "changed"));
    }
    if (versions[i] == "1.14.0") {
      REQUIRE(find(list, "SECRET_KEY"));
      CHECK(line(*find(list, "SECRET_KEY")) == "SECRET_KEY changed set - default - secret");
    }
  }
}
