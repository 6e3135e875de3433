#include "../../../daemon/cli/render_env.hpp"

#include <nlohmann/json.hpp>

#include "catch.hpp"

using namespace difyd;
using release::env_change;

namespace {

cli::env_report example(bool in_force) {
  cli::env_report report;
  report.from = "1.9.2";
  report.to = "1.10.1";
  report.in_force = in_force;
  report.differences = {
      {"SECRET_KEY", env_change::changed, "", "set", "", "set", "set", true, "secret"},
      {"DB_HOST", env_change::changed, "", "db", "db_postgres", "db", "db_postgres", false, "database"},
      {"LONG", env_change::added, "", "", std::string(60, 'x'), "", "a\nb", false, ""},
      {"OLD", env_change::renamed, "NEW", "1", "1", "1", "1", false, ""},
      {"GONE", env_change::removed, "", "1", "", "1", "", false, ""},
      {"GONE_TOO", env_change::removed, "", "1", "", "1", "", false, ""},
  };
  return report;
}

}  // namespace

TEST_CASE("env diff: what matters first, names of what goes last") {
  CHECK(cli::render(example(true)) ==
        "environment 1.9.2 -> 1.10.1: 1 added, 2 removed, 1 renamed, 2 defaults changed\n\n"
        "what matters\n"
        "  matters   key         what     old default  new default  in force  then\n"
        "  secret    SECRET_KEY  changed  set          -            set       set\n"
        "  database  DB_HOST     changed  db           db_postgres  db        db_postgres\n\n"
        "others\n"
        "  key         what     old default  new default                                  in force  then\n"
        "  LONG        added    -            xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...  -         a b\n"
        "  OLD -> NEW  renamed  1            1                                            1         1\n\n"
        "no longer in .env.example\n"
        "  GONE GONE_TOO\n");
}

TEST_CASE("env diff: without knowledge of what is in force there are no columns for it") {
  const std::string text = cli::render(example(false));
  CHECK(text.find("what is in force is not known: 1.9.2 has no working copy here\n") != std::string::npos);
  CHECK(text.find("in force  then") == std::string::npos);
  const auto json = nlohmann::json::parse(cli::to_json(example(false)));
  CHECK(json["in_force_known"] == false);
  CHECK_FALSE(json["differences"][0].contains("in_force"));
}

TEST_CASE("env diff: nothing differs") {
  CHECK(cli::render({"1.12.0", "1.12.1", true, {}}) == "environment 1.12.0 -> 1.12.1: no difference\n");
}

TEST_CASE("env diff as JSON") {
  const auto json = nlohmann::json::parse(cli::to_json(example(true)));
  CHECK(json["from"] == "1.9.2");
  CHECK(json["differences"].size() == 6);
  CHECK(json["differences"][1] ==
        nlohmann::json::parse(
            R"({"key":"DB_HOST","kind":"changed","old_default":"db","new_default":"db_postgres",
          "in_force":"db","then_in_force":"db_postgres","secret":false,"matters":"database"})"));
  CHECK(json["differences"][3]["new_key"] == "NEW");
}
