#include "../../../daemon/cli/endings.hpp"

#include "catch.hpp"

using namespace difyd;

namespace {

control::operation_status upgrade(const std::string& result) {
  control::operation_status of;
  of.id = "u2";
  of.kind = "upgrade";
  of.from = "1.13.0";
  of.to = "1.13.3";
  of.started = "2026-11-29T10:00:00Z";
  of.result = result;
  return of;
}

control::past_upgrade past(const std::string& id, const std::string& result, const std::string& reason = {}) {
  control::past_upgrade of;
  of.id = id;
  of.seconds = 45;
  of.result = result;
  of.reason = reason;
  return of;
}

control::status standing(const std::string& phase, const std::string& message = {}) {
  control::status now;
  now.phase = phase;
  now.message = message;
  now.deployed = "1.13.0";
  return now;
}

const std::string which = "the upgrade 1.13.0 -> 1.13.3, begun 2026-11-29T10:00:00Z";

}  // namespace

TEST_CASE("an upgrade that is over is told with its end") {
  const std::vector<control::past_upgrade> none;
  const auto text = [](const std::string& result, const std::vector<control::past_upgrade>& history) {
    const auto told = cli::ending_of(upgrade(result), history, standing("holding", "the schema is unknown"));
    CHECK((told.kind == "result" && told.state == result && told.operation == "u2"));
    return told.text;
  };
  CHECK(text("done", {past("u1", "undone", "another"), past("u2", "done")}) ==
        which + ", ended after 45 s: Dify 1.13.3 is up and committed");
  CHECK(text("undone", {past("u2", "held", "first"), past("u2", "undone", "the migration failed")}) ==
        which + ", ended after 45 s: the migration failed");
  CHECK(text("held", {past("u2", "held", "the migration failed")}) ==
        which + ", ended after 45 s: the migration failed");
  CHECK(text("held", none) == which + ": the schema is unknown");
  CHECK(text("refused", none) == which);
}

TEST_CASE("an abort that was asked for is told as one") {
  control::event result;
  result.state = "refused";
  result.code = "aborted";
  result.text = "the upgrade was aborted in step prepare";
  CHECK(cli::ended_by_abort(result));
  CHECK(cli::abort_text(result, standing("serving")) ==
        "the upgrade was aborted in step prepare; Dify 1.13.0 serves");
  CHECK(cli::abort_text(result, standing("starting")) ==
        "the upgrade was aborted in step prepare; Dify 1.13.0 is deployed, phase starting");
  result.state = "held";
  CHECK_FALSE(cli::ended_by_abort(result));
  result.state = "undone";
  result.code = "migration-failed";
  CHECK_FALSE(cli::ended_by_abort(result));
}
