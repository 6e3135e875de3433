#include "difyd/stack/job.hpp"

#include "difyd/base/text.hpp"
#include "difyd/stack/labels.hpp"
#include "run.hpp"

namespace difyd::stack {
namespace {

constexpr std::size_t kept_output = 256u << 10;

void keep_tail(std::string& output, std::string_view more) {
  output += more;
  if (output.size() > 2 * kept_output) output.erase(0, output.size() - kept_output);
}

class job {
 public:
  job(engine::client& engine, std::shared_ptr<const compose::project> project, struct dialect d,
      job_spec spec)
      : engine_(engine), project_(std::move(project)), dialect_(std::move(d)), spec_(std::move(spec)) {}

  task<Result<job_result>> run() {
    auto made = co_await make();
    if (!made) co_return std::unexpected(made.error());
    if (spec_.on_created) spec_.on_created(result_.container_id, result_.container_name);
    auto ended = co_await start();
    if (ended)
      ended = co_await with_deadline(follow(), spec_.limit, "wait for the end of " + result_.container_name);
    if (!ended && ended.error().code == "deadline-exceeded")
      (void)co_await stop_job(engine_, result_.container_id, spec_.grace);
    if (!ended) {
      if (never_started_ || !spec_.keep)
        (void)co_await engine_.containers.remove(result_.container_id, true, true);
      co_return std::unexpected(naming(ended.error(), "run", result_.container_name));
    }
    if (!spec_.keep) (void)co_await engine_.containers.remove(result_.container_id, true, true);
    if (result_.output.size() > kept_output) result_.output.erase(0, result_.output.size() - kept_output);
    co_return std::move(result_);
  }

 private:
  task<Result<create_context>> context() {
    create_context c;
    c.project = project_.get();
    c.service = spec_.service;
    c.api = api_of(engine_.version());
    c.dialect = dialect_;
    c.base_environment = spec_.base_environment;
    auto& wishes = c.one_off.emplace();
    wishes.name = spec_.name;
    wishes.slug = random_hex(64);
    wishes.entrypoint = spec_.entrypoint;
    wishes.command = spec_.command;
    wishes.environment = spec_.environment;
    wishes.labels = spec_.labels;
    wishes.network = spec_.network;
    auto image = co_await engine_.images.inspect(
        stack::image_reference(*project_, project_->services.at(spec_.service)));
    if (!image) co_return std::unexpected(naming(image.error(), "run a one-off container of", spec_.service));
    c.image_id = image->id;
    co_return c;
  }

  task<Result<>> make() {
    if (!project_->services.contains(spec_.service))
      co_return fail("no-such-service",
                     "cannot run a one-off container of " + spec_.service + ": no such service");
    if (engine_.version().api.empty()) {
      auto connected = co_await engine_.connect();
      if (!connected) co_return std::unexpected(connected.error());
    }
    auto c = co_await context();
    if (!c) co_return std::unexpected(c.error());
    auto request = create_container_request(*c);
    if (!request) co_return std::unexpected(request.error());
    auto files = inline_files(*project_, project_->services.at(spec_.service));
    if (!files) co_return std::unexpected(files.error());
    auto created = co_await engine_.containers.create(request->name, request->body.dump(), request->platform);
    if (!created) co_return std::unexpected(naming(created.error(), "create container", request->name));
    result_.container_id = created->id;
    result_.container_name = request->name;
    auto finished = co_await finish_created(engine_, created->id, std::move(*request), std::move(*files));
    if (!finished) (void)co_await engine_.containers.remove(created->id, true, true);
    co_return finished;
  }

  // Attached before the start, so that not a byte is missed whatever the log driver is. The limit does not
  // run yet: a slow engine's start, which has its own deadline, is not the job's doing.
  task<Result<>> start() {
    const auto& id = result_.container_id;
    auto end = co_await engine_.containers.wait(id, engine::wait_condition::next_exit);
    if (!end) co_return std::unexpected(end.error());
    auto output = co_await engine_.containers.attach(id, false);
    if (!output) co_return std::unexpected(output.error());
    if (spec_.may_start)
      if (auto may = co_await spec_.may_start(); !may) co_return may;
    auto started = co_await engine_.containers.start(id);
    if (!started) co_return started;
    never_started_ = false;
    end_ = std::move(*end);
    output_ = std::move(*output);
    co_return Result<>{};
  }

  task<Result<>> follow() {
    for (;;) {
      auto frame = co_await output_.next();
      if (!frame || !*frame) break;
      keep_tail(result_.output, (*frame)->bytes);
      if (spec_.on_output) spec_.on_output((*frame)->bytes);
    }
    auto status = co_await end_.result();
    if (!status) co_return std::unexpected(status.error());
    auto c = co_await engine_.containers.inspect(result_.container_id);
    if (!c) co_return std::unexpected(c.error());
    result_.exit_code = c->state.exit_code;
    result_.started_at = c->state.started_at;
    result_.finished_at = c->state.finished_at;
    co_return Result<>{};
  }

  engine::client& engine_;
  std::shared_ptr<const compose::project> project_;
  struct dialect dialect_;
  job_spec spec_;
  job_result result_;
  engine::exit_wait end_;
  engine::attached_stream output_;
  bool never_started_ = true;
};

}  // namespace

task<Result<job_result>> run_job(engine::client& engine, std::shared_ptr<const compose::project> project,
                                 struct dialect dialect, job_spec spec) {
  job one(engine, std::move(project), std::move(dialect), std::move(spec));
  auto result = co_await one.run();
  co_return std::move(result);
}

task<Result<job_result>> await_job(engine::client& engine, std::string container, duration limit) {
  auto end = co_await engine.containers.wait(container, engine::wait_condition::not_running);
  if (!end) co_return std::unexpected(end.error());
  if (auto ended = co_await end->result(limit); !ended) co_return std::unexpected(ended.error());
  auto c = co_await engine.containers.inspect(container);
  if (!c) co_return std::unexpected(c.error());
  job_result result{c->id, c->name, c->state.exit_code, c->state.started_at, c->state.finished_at, {}};
  auto output = co_await engine.containers.logs(c->id, {}, false);
  if (!output) co_return std::unexpected(output.error());
  for (;;) {
    auto frame = co_await output->next(std::chrono::seconds(30));
    if (!frame) co_return std::unexpected(frame.error());
    if (!*frame) break;
    keep_tail(result.output, (*frame)->bytes);
  }
  co_return result;
}

task<Result<>> stop_job(engine::client& engine, std::string container, duration grace) {
  const auto seconds = static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(grace).count());
  auto stopped = co_await engine.containers.stop(container, seconds, grace + std::chrono::seconds(30));
  if (!stopped && stopped.error().code == "engine-not-found") co_return Result<>{};
  auto c = co_await engine.containers.inspect(container);
  if (!c && c.error().code == "engine-not-found") co_return Result<>{};
  if (!c) co_return std::unexpected(c.error());
  if (!c->state.running) co_return Result<>{};
  auto killed = co_await engine.containers.kill(container);
  if (!killed && killed.error().code != "engine-conflict" && killed.error().code != "engine-not-found")
    co_return std::unexpected(naming(killed.error(), "kill container", container));
  c = co_await engine.containers.inspect(container);
  if (c && c->state.running)
    co_return fail("container-will-not-stop",
                   "cannot stop container " + c->name + ": it runs on after SIGKILL");
  co_return Result<>{};
}

}  // namespace difyd::stack
