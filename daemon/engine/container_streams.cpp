// What of a container is a stream: waits, logs, attach; exec; archives.
#include "difyd/engine/containers.hpp"
#include "query.hpp"
#include "stream_state.hpp"
#include "transport.hpp"

namespace difyd::engine {
namespace {

std::string condition_text(wait_condition condition) {
  switch (condition) {
    case wait_condition::next_exit:
      return "next-exit";
    case wait_condition::removed:
      return "removed";
    default:
      return "not-running";
  }
}

std::string log_path(const std::string& id, const log_options& options) {
  return query(container_path(id, "/logs"))
      .add_if(options.follow, "follow")
      .add_if(options.standard_output, "stdout")
      .add_if(options.standard_error, "stderr")
      .add_if(options.timestamps, "timestamps")
      .add_if(!options.since.empty(), "since", options.since)
      .add_if(!options.until.empty(), "until", options.until)
      .add_if(options.tail.has_value(), "tail", std::to_string(options.tail.value_or(0)))
      .text();
}

call calling(std::string what, std::string method, std::string path, duration limit) {
  call result{std::move(what), std::move(method), std::move(path)};
  result.limit = limit;
  return result;
}

std::string exec_body(const exec_spec& spec) {
  json body{{"Cmd", spec.command},
            {"AttachStdout", true},
            {"AttachStderr", true},
            {"AttachStdin", spec.input},
            {"Tty", spec.tty}};
  if (!spec.env.empty()) body["Env"] = spec.env;
  if (!spec.user.empty()) body["User"] = spec.user;
  if (spec.privileged) body["Privileged"] = true;
  if (!spec.working_dir.empty()) body["WorkingDir"] = spec.working_dir;
  return dump(body);
}

template <class Api>
task<Result<bool>> has_tty(Api& api, std::string id, std::optional<bool> known, duration limit) {
  if (known) co_return *known;
  auto found = co_await api.inspect(std::move(id), limit);
  if (!found) co_return std::unexpected(std::move(found.error()));
  co_return found->tty;
}

}  // namespace

task<Result<exit_wait>> containers_api::wait(std::string id, wait_condition condition, duration limit) {
  const std::string what = "wait for container " + short_id(id);
  query path(container_path(id, "/wait"));
  path.add("condition", condition_text(condition));
  auto stream = co_await transport_->open(calling(what, "POST", path.text(), limit));
  if (!stream) co_return std::unexpected(std::move(stream.error()));
  co_return exit_wait(std::make_unique<exit_wait::state>(what, std::move(*stream)));
}

task<Result<log_stream>> containers_api::logs(std::string id, log_options options, std::optional<bool> tty,
                                              duration limit) {
  const std::string what = "read the log of container " + short_id(id);
  auto raw = co_await has_tty(*this, id, tty, limit);
  if (!raw) co_return std::unexpected(std::move(raw.error()));
  auto stream = co_await transport_->open(calling(what, "GET", log_path(id, options), limit));
  if (!stream) co_return std::unexpected(std::move(stream.error()));
  co_return log_stream(std::make_unique<log_stream::state>(what, std::move(*stream), *raw));
}

task<Result<attached_stream>> containers_api::attach(std::string id, bool input, bool logs,
                                                     std::optional<bool> tty, duration limit) {
  const std::string what = "attach to container " + short_id(id);
  auto raw = co_await has_tty(*this, id, tty, limit);
  if (!raw) co_return std::unexpected(std::move(raw.error()));
  query path(container_path(id, "/attach"));
  path.add("stream", "1").add("stdout", "1").add("stderr", "1").add_if(input, "stdin").add_if(logs, "logs");
  auto stream = co_await transport_->upgrade(calling(what, "POST", path.text(), limit));
  if (!stream) co_return std::unexpected(std::move(stream.error()));
  co_return attached_stream(std::make_unique<attached_stream::state>(what, std::move(*stream), *raw));
}

task<Result<std::string>> containers_api::create_exec(std::string id, exec_spec spec, duration limit) {
  call of = calling("run a command in container " + short_id(id), "POST", container_path(id, "/exec"), limit);
  const std::string what = of.what;
  of.body = exec_body(spec);
  auto value = co_await transport_->send_for_json(std::move(of));
  if (!value) co_return std::unexpected(std::move(value.error()));
  std::string exec_id = text(*value, "Id");
  if (exec_id.empty()) co_return std::unexpected(malformed(what, "it has no id"));
  co_return std::move(exec_id);
}

task<Result<attached_stream>> containers_api::start_exec(std::string exec_id, bool tty, duration limit) {
  call of = calling("start command " + short_id(exec_id), "POST", "/exec/" + exec_id + "/start", limit);
  const std::string what = of.what;
  of.body = dump(json{{"Detach", false}, {"Tty", tty}});
  auto stream = co_await transport_->upgrade(std::move(of));
  if (!stream) co_return std::unexpected(std::move(stream.error()));
  co_return attached_stream(std::make_unique<attached_stream::state>(what, std::move(*stream), tty));
}

task<Result<exec_state>> containers_api::inspect_exec(std::string exec_id, duration limit) {
  const std::string path = "/exec/" + exec_id + "/json";
  auto value =
      co_await transport_->send_for_json(calling("inspect command " + short_id(exec_id), "GET", path, limit));
  if (!value) co_return std::unexpected(std::move(value.error()));
  co_return exec_state{flag(*value, "Running"), static_cast<int>(number(*value, "ExitCode")),
                       number(*value, "Pid")};
}

task<Result<>> containers_api::put_archive(std::string id, std::string path, std::string tar,
                                           bool keep_owners, duration limit) {
  query where(container_path(id, "/archive"));
  where.add("path", path).add("noOverwriteDirNonDir", "true");
  if (keep_owners) where.add("copyUIDGID", "true");
  const std::string target = where.text();
  call of = calling("copy files to " + path + " of container " + short_id(id), "PUT", target, limit);
  of.body = std::move(tar);
  of.content_type = "application/x-tar";
  return transport_->send_for_nothing(std::move(of));
}

task<Result<std::string>> containers_api::get_archive(std::string id, std::string path, std::size_t max_bytes,
                                                      duration limit) {
  const std::string source = query(container_path(id, "/archive")).add("path", path).text();
  call of = calling("copy " + path + " from container " + short_id(id), "GET", source, limit);
  of.max_answer = max_bytes;
  return transport_->send(std::move(of));
}

}  // namespace difyd::engine
