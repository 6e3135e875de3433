// One-off jobs, the watch and the executor on a real engine with the image of bench.py.
#include <cstdlib>

#include "catch.hpp"
#include "difyd/base/task_group.hpp"
#include "difyd/base/text.hpp"
#include "difyd/stack/executor.hpp"
#include "difyd/stack/job.hpp"
#include "difyd/stack/labels.hpp"
#include "difyd/stack/watch.hpp"
#include "run_task.hpp"

using namespace difyd;
using namespace difyd::stack;
using namespace std::chrono_literals;

namespace {

// A project of its own on the engine; everything of it is removed at the end.
struct bench {
  bench() : engine(loop.get_executor(), *engine::endpoint_from_environment()) {
    project->name = "difydtest" + random_hex(8);
    project->working_dir = "/tmp";
    project->networks["default"].name = project->name + "_default";
  }
  ~bench() {
    auto now = run(observe(engine, project->name));
    if (!now) return;
    down_options all;
    all.volumes = all.remove_orphans = all.one_offs = true;
    all.timeout = 0;
    (void)run(apply(engine, plan_down(nullptr, *now, all)));
  }

  template <class T>
  T run(task<T> work) {
    return run_task(loop, std::move(work));
  }

  compose::service& add(const std::string& name, const std::string& script) {
    auto& s = project->services[name];
    s.name = name;
    s.image = std::getenv("DIFYD_TEST_IMAGE");  // set by with_image.py
    s.command = compose::text_list{"sh", "-c", script};
    s.networks["default"] = std::nullopt;
    return s;
  }

  observed look() {
    observe_options how;
    how.project = project;
    auto now = run(observe(engine, project->name, how));
    REQUIRE(now);
    return *now;
  }

  Result<apply_report> up(plan_options options = {}, apply_options how = {}) {
    auto planned = plan(project, look(), options);
    REQUIRE(planned);
    return run(apply(engine, *planned, std::move(how)));
  }

  asio::io_context loop;
  engine::client engine;
  std::shared_ptr<compose::project> project = std::make_shared<compose::project>();
};

constexpr const char* forever = "trap 'exit 0' TERM; while true; do sleep 0.1; done";

}  // namespace

TEST_CASE("the supervisor's containers have no restart policy from before their start") {
  bench b;
  b.add("a", forever).restart = "always";
  plan_options options;
  options.restarts = restart_owner::supervisor;
  REQUIRE(b.up(options));
  auto now = b.look();
  REQUIRE(now.containers.size() == 1);
  CHECK(now.containers[0].restart_policy == "no");
  CHECK(plan(b.project, now, options)->empty());
  CHECK(plan(b.project, now)->empty());
  options.restarts = restart_owner::give_back;
  REQUIRE(b.up(options));
  CHECK(b.look().containers[0].restart_policy == "always");
}

TEST_CASE("a job gives its output and exit code, and stays for both") {
  bench b;
  b.add("a", forever).environment["FROM"] = "service";
  REQUIRE(b.up());
  job_spec spec;
  spec.service = "a";
  spec.command = compose::text_list{"sh", "-c", "echo $FROM $EXTRA; echo oops >&2; exit 3"};
  spec.environment["EXTRA"] = "job";
  spec.labels["dev.difyd.job"] = "test";
  std::string seen;
  spec.on_output = [&](std::string_view text) { seen += text; };
  const auto result = b.run(run_job(b.engine, b.project, {}, spec));
  REQUIRE(result);
  CHECK(result->exit_code == 3);
  CHECK(result->output.find("service job\n") != std::string::npos);
  CHECK(result->output.find("oops\n") != std::string::npos);
  CHECK(seen == result->output);
  CHECK(result->started_at.starts_with("2"));
  CHECK(result->finished_at.starts_with("2"));
  const auto now = b.look();
  const auto* kept = now.find(result->container_id);
  REQUIRE(kept != nullptr);
  CHECK(kept->one_off);
  CHECK(kept->label("dev.difyd.job") == "test");
  CHECK(plan(b.project, now)->empty());
}

TEST_CASE("a job that overruns is stopped for certain") {
  bench b;
  b.add("a", forever);
  REQUIRE(b.up());
  job_spec spec;
  spec.service = "a";
  spec.command = compose::text_list{"sh", "-c", "trap '' TERM; while true; do sleep 0.1; done"};
  spec.limit = 500ms;
  spec.grace = 1s;
  std::string id;
  spec.on_created = [&](const std::string& made, const std::string&) { id = made; };
  const auto result = b.run(run_job(b.engine, b.project, {}, spec));
  REQUIRE_FALSE(result);
  CHECK(result.error().code == "deadline-exceeded");
  const auto now = b.look();
  const auto* kept = now.find(id);
  REQUIRE(kept != nullptr);
  CHECK(kept->state == "exited");
}

TEST_CASE("the watch sees deaths and looks again after each opening") {
  bench b;
  b.add("a", forever);
  REQUIRE(b.up());
  int looks = 0;
  std::vector<container_event> deaths;
  task_group group(b.loop.get_executor());
  watch_options how;
  how.on_observed = [&](const observed& now) { looks += now.containers.empty() ? 0 : 1; };
  how.on_event = [&](const container_event& e) {
    if (e.action == "die") deaths.push_back(e);
  };
  how.resync = 300ms;
  group.spawn("watch", watch(b.engine, b.project->name, how));
  const auto until = [&](auto condition) {
    for (int n = 0; n < 500 && !condition(); ++n)
      b.run([]() -> task<int> {
        co_await pause(20ms);
        co_return 0;
      }());
    return condition();
  };
  CHECK(until([&] { return looks >= 2; }));
  REQUIRE(b.run(b.engine.containers.kill(b.project->name + "-a-1")));
  CHECK(until([&] { return deaths.size() == 1; }));
  if (!deaths.empty()) {
    CHECK(deaths[0].service == "a");
    CHECK(deaths[0].exit_code == 137);
  }
  group.cancel();
  b.run([](task_group& g) -> task<int> {
    co_await g.join();
    co_return 0;
  }(group));
}

TEST_CASE("nothing waits for an operation that was taken out of the plan") {
  bench b;
  b.add("a", forever);
  // Somebody makes the network meanwhile.
  REQUIRE(b.run(b.engine.networks.create(network_create_body(*b.project, "default", {}).dump())));
  auto now = b.look();
  now.networks.clear();
  auto planned = plan(b.project, now, {});
  REQUIRE(planned);
  REQUIRE(planned->operations.front().kind == op_kind::create_network);
  planned->operations.erase(planned->operations.begin());
  const auto done = b.run(with_deadline(apply(b.engine, *planned, {}), 60s, "carry it out"));
  INFO((done ? "" : done.error().message));
  REQUIRE(done);
  CHECK(b.look().containers.at(0).running());
}

TEST_CASE("after a failure nothing new begins, and the error names container and cause") {
  bench b;
  b.add("bad", "exit 0").command = compose::text_list{"/no/such/program"};
  auto& late = b.add("late", forever);
  late.depends_on["bad"] = {"service_started", false, true};
  apply_options how;
  std::map<std::string, op_state> last;
  how.progress = [&](const operation& op, const op_progress& p) {
    last[std::string(to_text(op.kind)) + " " + op.service] = p.state;
  };
  const auto done = b.up({}, how);
  REQUIRE_FALSE(done);
  CHECK(done.error().message.find(b.project->name + "-bad-1") != std::string::npos);
  CHECK(last["start container bad"] == op_state::failed);
  CHECK(last["start container late"] == op_state::cancelled);
  CHECK(containers_of(b.look(), "bad").empty());
}

TEST_CASE("conditions wait for events, not for time") {
  bench b;
  auto& slow = b.add("slow", "sleep 0.4; touch /tmp/up; while true; do sleep 0.1; done");
  slow.healthcheck.emplace();
  slow.healthcheck->test = {"CMD", "test", "-e", "/tmp/up"};
  slow.healthcheck->interval = 100ms;
  slow.healthcheck->retries = 100;
  b.add("after", "exit 0").depends_on["slow"] = {"service_healthy", false, true};
  b.add("hopeless", "exit 0").depends_on["after"] = {"service_healthy", false, false};
  const auto done = b.up();
  REQUIRE(done);
  REQUIRE(done->warnings.size() == 1);
  CHECK(done->warnings[0].starts_with("optional dependency failed to start"));
  auto now = b.look();
  for (const char* name : {"slow", "after", "hopeless"}) REQUIRE(containers_of(now, name).size() == 1);
  CHECK(containers_of(now, "slow")[0]->health == "healthy");
  CHECK(containers_of(now, "after")[0]->started_at > containers_of(now, "slow")[0]->started_at);
  CHECK(containers_of(now, "hopeless")[0]->state != "created");
}
