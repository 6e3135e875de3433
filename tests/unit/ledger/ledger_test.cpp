#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/task_group.hpp"
#include "difyd/base/text.hpp"
#include "difyd/ledger/book.hpp"
#include "difyd/ledger/format.hpp"
#include "folder_store.hpp"
#include "run_task.hpp"

using namespace difyd;
using namespace difyd::ledger;

namespace {

wall_time at(long long seconds) {
  return wall_time(std::chrono::milliseconds(1'700'000'000'000 + seconds * 1000));
}

deployment deployed(const char* version) {
  deployment d;
  d.version = *parse_version(version);
  d.bundle = "/var/lib/difyd/releases/dify-" + std::string(version) + "/docker";
  d.project = "dify";
  d.images = {{"api", "sha256:aa"}, {"web", "sha256:bb"}};
  d.revision = {"905527cc8fd3"};
  d.environment_hash = "ff";
  d.committed_at = at(5);
  return d;
}

journal started(const char* id, const char* to) {
  journal j;
  j.id = id;
  j.from = parse_version("1.11.3").value();
  j.to = *parse_version(to);
  j.started_at = at(10);
  j.origin = "operator";
  return j;
}

record full() {
  record book = with_deployment(with_deployment({}, deployed("1.11.3")), deployed("1.11.4"));
  book = *with_upgrade(book, started("u1", "1.12.0"));
  book = *with_entry(book, {"admit", entry_state::begin, at(11), ""});
  book = *with_entry(book, {"admit", entry_state::done, at(12), ""});
  book = *with_entry(book,
                     {"prepare", entry_state::failed, at(13), "no \"space\"\nleft \xf0\x9f\x92\xa9", true});
  book = *with_baseline(book, {{"a"}, "cc"});
  book = with_migration(
      book, {"u1", *parse_version("1.12.0"), {"a"}, {"b"}, 1, "migration-u1.log", at(14), at(15)});
  book = with_migration(book, {"u2", *parse_version("1.12.0"), {""}, {""}, {}, "", at(14), at(14)});
  return *with_ending(book, ending::held, "prepare failed", {}, at(20));
}

struct folder {
  std::string path = std::filesystem::temp_directory_path() / ("difyd-ledger-" + random_hex(8));
  folder() { std::filesystem::create_directory(path); }
  ~folder() { std::filesystem::remove_all(path); }
};

Result<std::unique_ptr<book>> open_book(asio::io_context& loop, const std::string& path) {
  auto files = std::make_shared<folder_store>(path);
  return run_task(loop, book::open(loop.get_executor(), files));
}

}  // namespace

TEST_CASE("a ledger survives the way to JSON and back") {
  for (const record& book : {record{}, with_deployment({}, deployed("1.16.0-rc1")), full()}) {
    const auto again = parse(to_json(book), "ledger.json");
    REQUIRE(again);
    CHECK(*again == book);
  }
  CHECK(to_json(record{}).find("\"format\": 4") != std::string::npos);
}

TEST_CASE("the format before this one is read") {
  auto old = full();
  old.in_flight->baseline.reset();
  std::string text = to_json(old);
  const auto put = [&](const std::string& from, const std::string& to) {
    REQUIRE(text.find(from) != std::string::npos);
    text.replace(text.find(from), from.size(), to);
  };
  put("\"format\": 4", "\"format\": 1");
  put(",\n  \"owed\": []", "");
  put(",\n    \"owed\": []", "");
  put(",\n    \"baseline\": null", "");
  put("  \"restoring\": null,\n", "");
  const auto again = parse(text, "ledger.json");
  REQUIRE(again);
  CHECK(*again == old);
}

TEST_CASE("what cannot be read is refused with its place") {
  const std::string good = to_json(full());
  const auto refuse = [](const std::string& text) {
    const auto result = parse(text, "/srv/.difyd/ledger.json");
    REQUIRE_FALSE(result);
    return result.error();
  };
  const auto newer = refuse(R"({"format": 5, "written_by": "difyd 9.9", "anything": []})");
  CHECK(newer.code == "ledger-newer");
  CHECK(newer.message ==
        "cannot read the ledger /srv/.difyd/ledger.json: it has format 5 and this difyd knows up to 4");
  CHECK(newer.remedy == "Install the difyd that wrote it (difyd 9.9) or a newer one");
  for (const std::string text : {"", "{", "[]", "null", "{}", R"({"format": "x"})", R"({"format": 1})"}) {
    CAPTURE(text);
    CHECK(refuse(text).code == "ledger-corrupt");
  }
  CHECK(refuse(R"({"format":1,"deployed":{},"previous":null,"in_flight":null,"history":[],"migrations":[]})")
            .message == "cannot read the ledger /srv/.difyd/ledger.json: deployed: \"version\" is missing");
  // Cut anywhere, it is refused, never half read; changed anywhere, it does not crash.
  for (std::size_t length = 0; length + 2 < good.size(); length += 7)
    CHECK(refuse(good.substr(0, length)).code == "ledger-corrupt");
  for (std::size_t i = 0; i < good.size(); i += 3) {
    std::string changed = good;
    changed[i] = '\x07';
    (void)parse(changed, "x");
  }
}

TEST_CASE("what an upgrade owes is owed once it is done, and until it was run") {
  const owed_command first{"plugins-1.0", *parse_version("1.12.0"), "api", "flask extract-plugins", {}};
  const owed_command second{"plugins-1.0", *parse_version("1.12.0"), "api", "flask install-plugins", {}};
  const owed_command other{"sources-1.9", *parse_version("1.12.0"), "api", "flask transform", {}};
  auto flying = started("u1", "1.12.0");
  flying.owed = {first, second, other};
  const record before = *with_upgrade(with_deployment({}, deployed("1.11.4")), flying);
  CHECK(parse(to_json(before), "x").value() == before);
  CHECK(next_command(before) == nullptr);
  CHECK(with_ending(before, ending::undone, "", {}, at(1))->owed.empty());
  CHECK(with_ending(before, ending::held, "", {}, at(1))->owed.empty());

  const record done = *with_ending(before, ending::done, "", deployed("1.12.0"), at(1));
  CHECK(done.owed == std::vector{first, second, other});
  CHECK(parse(to_json(done), "x").value() == done);
  CHECK(*next_command(done) == first);
  CHECK(*next_command(*with_command(done, first, "")) == second);

  // Nothing of an advisory runs after one that failed; others do.
  const record failed = *with_command(done, first, "exit code 1");
  CHECK(failed.owed.front().failure == "exit code 1");
  CHECK(*next_command(failed) == other);
  const record stuck = *with_command(failed, other, "");
  CHECK(next_command(stuck) == nullptr);
  CHECK(*next_command(*with_retried(stuck, "plugins-1.0")) == first);
  CHECK(without_commands(stuck, "plugins-1.0")->owed.empty());

  CHECK(with_retried(stuck, "sources-1.9").error().code == "not-owed");
  CHECK(without_commands(done, "x").error().code == "not-owed");
  CHECK(with_command(stuck, other, "").error().code == "not-owed");

  // The same upgrade again, after a restore, owes nothing twice.
  record again = done;
  again.in_flight = flying;
  CHECK(with_ending(again, ending::done, "", deployed("1.12.0"), at(2))->owed == done.owed);
  // What only the newer version owed is over with it.
  record back = done;
  back.restoring = restore{"r", "b", *parse_version("1.11.4"), {}, {}, restore_stage::finishing, at(3)};
  CHECK(with_restored(back, deployed("1.11.4"), "restored", at(4))->owed.empty());
  back.restoring->version = *parse_version("1.12.0");
  CHECK(with_restored(back, deployed("1.12.0"), "restored", at(4))->owed == done.owed);
}

TEST_CASE("steps with their times") {
  const auto steps = times_of({{"admit", entry_state::begin, at(1), ""},
                               {"admit", entry_state::done, at(2), ""},
                               {"stop", entry_state::begin, at(3), ""},
                               {"stop", entry_state::begin, at(9), "again"},
                               {"stop", entry_state::failed, at(10), "x"}});
  CHECK(steps == std::vector<step_time>{{"admit", entry_state::done, at(1), at(2)},
                                        {"stop", entry_state::begin, at(3), at(3)},
                                        {"stop", entry_state::failed, at(9), at(10)}});
}

TEST_CASE("changes of the ledger") {
  const record one = with_deployment({}, deployed("1.11.3"));
  CHECK_FALSE(one.previous);
  CHECK_FALSE(with_deployment(one, deployed("1.11.3")).previous);
  CHECK(with_deployment(one, deployed("1.11.4")).previous->version.text() == "1.11.3");

  CHECK(with_entry(one, {}).error().code == "no-upgrade-in-flight");
  CHECK(with_ending(one, ending::done, "", {}, at(1)).error().code == "no-upgrade-in-flight");

  const record flying = *with_upgrade(one, started("u1", "1.11.4"));
  CHECK(with_upgrade(flying, started("u2", "1.12.0")).error().code == "upgrade-in-flight");

  const record done = *with_ending(flying, ending::done, "", deployed("1.11.4"), at(30));
  CHECK_FALSE(done.in_flight);
  CHECK(done.deployed->version.text() == "1.11.4");
  CHECK(done.previous->version.text() == "1.11.3");
  CHECK(done.history.size() == 1);

  const record held = *with_ending(flying, ending::held, "why", {}, at(30));
  CHECK(held.in_flight);
  CHECK(held.deployed->version.text() == "1.11.3");
  const record newer = *with_upgrade(held, started("u2", "1.12.0"));
  CHECK(newer.in_flight->id == "u2");
  CHECK(newer.history.back().result == ending::held);
  const record moved = *with_baseline(flying, {{"905527cc8fd3"}, "aa"});
  CHECK(with_baseline(*with_baseline(flying, {{"905527cc8fd3"}, "aa"}), {{"b"}, "bb"})->in_flight->baseline ==
        moved.in_flight->baseline);  // the first one counts
  CHECK(with_baseline(one, {}).error().code == "no-upgrade-in-flight");
  const record after =
      *with_upgrade(*with_ending(moved, ending::held, "why", {}, at(30)), started("u2", "1.12.0"));
  CHECK(after.in_flight->baseline == moved.in_flight->baseline);  // of before anything of both moved
  const record resolved = *with_ending(held, ending::undone, "", {}, at(40));
  CHECK(resolved.history.size() == 1);
  CHECK(resolved.history[0].result == ending::undone);

  record many = one;
  for (int i = 0; i < 250; ++i) {
    many = *with_upgrade(many, started(std::to_string(i).c_str(), "1.12.0"));
    many = *with_ending(many, ending::undone, "", {}, at(i));
  }
  CHECK(many.history.size() == 200);
  CHECK(many.history.back().id == "249");
}

TEST_CASE("the book keeps memory and file alike") {
  const folder dir;
  const std::string place = dir.path + "/.difyd";
  asio::io_context loop;
  {
    auto opened = open_book(loop, place);
    REQUIRE(opened);
    book& mine = **opened;
    CHECK(mine.current() == record{});
    REQUIRE(run_task(loop, mine.deploy(deployed("1.11.3"))));
    REQUIRE(run_task(loop, mine.begin_upgrade(started("u1", "1.11.4"))));
    REQUIRE(run_task(loop, mine.append({"admit", entry_state::begin, at(1), ""})));
    CHECK(run_task(loop, mine.begin_upgrade(started("u2", "1.12.0"))).error().code == "upgrade-in-flight");
    REQUIRE(run_task(loop, mine.keep_log("migration-u1.log", "INFO\n")));
  }
  auto again = open_book(loop, place);
  REQUIRE(again);
  CHECK((*again)->current().in_flight->entries.size() == 1);
  CHECK(run_task(loop, (*again)->log("migration-u1.log")).value() == "INFO\n");
  CHECK(run_task(loop, (*again)->log("none")).value() == std::nullopt);
  REQUIRE(run_task(loop, (*again)->finish_upgrade(ending::done, "", deployed("1.11.4"))));
  CHECK((*again)->current().deployed->version.text() == "1.11.4");
}

TEST_CASE("what another machine wrote meanwhile is read again") {
  const folder dir;
  const std::string place = dir.path + "/.difyd";
  asio::io_context loop;
  auto mine = open_book(loop, place);
  auto others = open_book(loop, place);
  REQUIRE(mine);
  REQUIRE(others);
  REQUIRE(run_task(loop, (*others)->deploy(deployed("1.12.1"))));
  CHECK_FALSE((*mine)->current().deployed);
  REQUIRE(run_task(loop, (*mine)->reload()));
  CHECK((*mine)->current() == (*others)->current());
}

namespace {

// Writes, and then says that it did not: a share that answers after the deadline.
class late_store final : public store {
 public:
  task<Result<std::optional<std::string>>> read(std::string) override { co_return text; }
  task<Result<>> write(std::string, std::string bytes) override {
    if (lands) text = std::move(bytes);
    co_return fail("deadline-exceeded", "no answer");
  }
  std::string place(const std::string& name) const override { return name; }
  std::optional<std::string> text;
  bool lands = true;
};

}  // namespace

TEST_CASE("what could not be read again is not written") {
  const folder dir;
  asio::io_context loop;
  auto opened = open_book(loop, dir.path + "/.difyd");
  REQUIRE(opened);
  REQUIRE(run_task(loop, (*opened)->deploy(deployed("1.11.4"))));
  migration_record run;
  run.id = "1a2b3c4d";
  run.version = *parse_version("1.12.1");
  run.started_at = run.ended_at = wall_time::min();
  const auto kept = run_task(loop, (*opened)->record_migration(run));
  REQUIRE_FALSE(kept);
  CHECK(kept.error().code == "ledger-not-writable");
  CHECK(open_book(loop, dir.path + "/.difyd"));
}

TEST_CASE("a write that fails and landed has landed") {
  asio::io_context loop;
  auto files = std::make_shared<late_store>();
  auto mine = run_task(loop, book::open(loop.get_executor(), files));
  REQUIRE(mine);
  REQUIRE(run_task(loop, (*mine)->deploy(deployed("1.11.4"))));
  CHECK((*mine)->current().deployed->version.text() == "1.11.4");
  files->lands = false;
  CHECK_FALSE(run_task(loop, (*mine)->deploy(deployed("1.12.1"))));
  CHECK((*mine)->current().deployed->version.text() == "1.11.4");
}

TEST_CASE("changes that are asked for at once are all kept") {
  const folder dir;
  asio::io_context loop;
  auto opened = open_book(loop, dir.path + "/.difyd");
  REQUIRE(opened);
  book& mine = **opened;
  REQUIRE(run_task(loop, mine.begin_upgrade(started("u1", "1.11.4"))));
  std::vector<task<Result<>>> all;
  for (int i = 0; i < 20; ++i) all.push_back(mine.append({std::to_string(i), entry_state::begin, at(i), ""}));
  const auto results = run_task(loop, when_all(std::move(all)));
  for (const auto& each : results) CHECK(each.has_value());
  CHECK(mine.current().in_flight->entries.size() == 20);
}

TEST_CASE("a gate keeps writes back and has failed ones tried again") {
  const folder dir;
  const std::string place = dir.path + "/later/.difyd";
  asio::io_context loop;
  bool may = true;
  int failures = 0;
  write_gate gate = [&](std::optional<Error> failed) -> task<Result<>> {
    if (failed && ++failures == 3) std::filesystem::create_directories(place);
    if (!may) co_return fail("lease-lost", "cannot write");
    co_return Result<>{};
  };
  auto files = std::make_shared<folder_store>(place);
  auto opened = run_task(loop, book::open(loop.get_executor(), files, gate));
  REQUIRE(opened);
  REQUIRE(run_task(loop, (*opened)->deploy(deployed("1.11.3"))));
  CHECK(failures == 3);
  const auto before = read_file(place + "/ledger.json").value();
  may = false;
  CHECK(run_task(loop, (*opened)->deploy(deployed("1.11.4"))).error().code == "lease-lost");
  CHECK(run_task(loop, (*opened)->keep_log("x.log", "x")).error().code == "lease-lost");
  CHECK((*opened)->current().deployed->version.text() == "1.11.3");
  CHECK(read_file(place + "/ledger.json").value() == before);
  CHECK(run_task(loop, (*opened)->log("x.log")).value() == std::nullopt);
}

TEST_CASE("a ledger that cannot be written changes nothing, one that cannot be read stays") {
  const folder dir;
  asio::io_context loop;
  auto opened = open_book(loop, dir.path + "/gone/.difyd");
  REQUIRE(opened);
  const auto refused = run_task(loop, (*opened)->deploy(deployed("1.11.3")));
  CHECK(refused.error().code == "file-io");
  CHECK((*opened)->current() == record{});

  std::ofstream(dir.path + "/ledger.json") << "{ torn";
  const auto corrupt = open_book(loop, dir.path);
  REQUIRE_FALSE(corrupt);
  CHECK(corrupt.error().code == "ledger-corrupt");
  CHECK(read_file(dir.path + "/ledger.json").value() == "{ torn");
}

namespace {

// A share that hangs: a write lands later, and nothing is read meanwhile.
struct hanging_store final : store {
  bool hangs = false;
  std::map<std::string, std::string> files, late;
  task<Result<std::optional<std::string>>> read(std::string name) override {
    if (hangs) co_return fail("share-hung", "no answer");
    if (!files.contains(name)) co_return std::nullopt;
    co_return files.at(name);
  }
  task<Result<>> write(std::string name, std::string bytes) override {
    (hangs ? late : files)[name] = std::move(bytes);
    if (hangs) co_return fail("share-hung", "no answer");
    co_return Result<>{};
  }
  std::string place(const std::string& name) const override { return name; }
};

}  // namespace

TEST_CASE("a write that failed and lands later is taken back") {
  asio::io_context loop;
  auto files = std::make_shared<hanging_store>();
  auto opened = run_task(loop, book::open(loop.get_executor(), files));
  REQUIRE(opened);
  book& mine = **opened;
  REQUIRE(run_task(loop, mine.deploy(deployed("1.11.3"))));
  files->hangs = true;
  CHECK_FALSE(run_task(loop, mine.begin_upgrade(started("u1", "1.11.4"))));
  CHECK_FALSE(run_task(loop, mine.settle()));
  files->hangs = false;
  files->files = files->late;
  REQUIRE(run_task(loop, mine.settle()));
  CHECK(parse(files->files.at("ledger.json"), "x").value() == mine.current());
  CHECK_FALSE(mine.current().in_flight);
  files->files["ledger.json"] = "untouched";
  REQUIRE(run_task(loop, mine.settle()));
  CHECK(files->files.at("ledger.json") == "untouched");
}

TEST_CASE("a restore: nothing else begins, what was restored is deployed, a hold is over, once") {
  restore of;
  of.id = "r1";
  of.backup = "20231114-1.11.3-before-1.12.0-u1";
  of.version = *parse_version("1.11.3");
  of.revision = {"a"};
  of.databases = {"dify"};
  of.started_at = at(30);
  auto begun = with_restore(full(), of);
  REQUIRE(begun);
  CHECK(*parse(to_json(*begun), "x") == *begun);
  CHECK(with_restore(*begun, of).error().code == "restore-in-flight");
  CHECK(with_upgrade(*begun, started("u2", "1.13.0")).error().code == "restore-in-flight");
  auto swapped = with_restore_stage(*begun, restore_stage::swapping);
  REQUIRE(swapped);
  CHECK(swapped->restoring->stage == restore_stage::swapping);
  auto restored = with_restored(*swapped, deployed("1.11.3"), "backup b was restored", at(40));
  REQUIRE(restored);
  CHECK(restored->deployed->version.text() == "1.11.3");
  CHECK_FALSE(restored->in_flight);
  REQUIRE(restored->history.size() == 2);
  CHECK(restored->history[0].result == ending::undone);
  CHECK(restored->history[0].reason == "prepare failed; backup b was restored");
  CHECK(restored->history[1].id == "r1");
  CHECK(restored->history[1].from->text() == "1.12.0");
  CHECK(restored->history[1].to.text() == "1.11.3");
  // A crash before the end of it.
  CHECK(with_restored(*restored, deployed("1.11.3"), "again", at(50))->history == restored->history);
  const auto over = without_restore(*restored);
  CHECK_FALSE(over.restoring);
  CHECK(with_restored(over, deployed("1.11.3"), "again", at(50)).error().code == "no-restore-in-flight");
  CHECK(with_restore_stage(over, restore_stage::swapping).error().code == "no-restore-in-flight");
  auto busy = with_upgrade(over, started("u2", "1.13.0"));
  CHECK(with_restore(*busy, of).error().code == "upgrade-in-flight");
}
