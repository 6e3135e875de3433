#include "decode.hpp"
#include "difyd/base/text.hpp"
#include "errors.hpp"
#include "query.hpp"
#include "transport.hpp"

namespace difyd::engine {
namespace {

std::string image_path(const std::string& reference, std::string_view rest) {
  return "/images/" + percent_encode(reference) + std::string(rest);
}

call calling(std::string what, std::string method, std::string path, duration limit) {
  call result{std::move(what), std::move(method), std::move(path)};
  result.limit = limit;
  return result;
}

// A digest goes where the tag does; without either the engine would pull every tag.
std::string pull_path(const image_reference& reference, const std::string& platform) {
  const std::string& tag = reference.digest.empty() ? reference.tag : reference.digest;
  return query("/images/create")
      .add("fromImage", reference.name)
      .add("tag", tag.empty() ? "latest" : tag)
      .add_if(!platform.empty(), "platform", platform)
      .text();
}

// Feeds every object of a stream to `see` until the end; the first error ends it.
task<Result<>> follow(http::body_stream& stream, std::string what,
                      std::function<Result<>(const std::string&)> see, duration idle) {
  json_splitter splitter;
  for (;;) {
    auto piece = co_await stream.read(idle);
    if (!piece) co_return std::unexpected(no_answer(what, piece.error(), idle));
    if (!*piece) break;
    auto objects = splitter.feed(**piece);
    if (!objects) co_return std::unexpected(std::move(objects.error()));
    for (const auto& each : *objects)
      if (auto seen = see(each); !seen) co_return std::move(seen);
  }
  if (!splitter.between_objects()) co_return std::unexpected(malformed(what, "it ends in the middle"));
  co_return Result<>{};
}

// What the engine refuses before the stream begins is a failed pull, too; what keeps it from answering is
// not.
Error as_pull_error(const std::string& image, const std::string& what, Error error) {
  const bool refused = error.code == "engine-not-found" || error.code == "engine-error" ||
                       error.code == "engine-forbidden" || error.code == "engine-conflict";
  const std::string begin = "cannot " + what + ": ";
  if (!refused || !error.message.starts_with(begin)) return error;
  return pull_error(image, error.message.substr(begin.size()));
}

}  // namespace

task<Result<image>> images_api::inspect(std::string reference, duration limit) {
  auto value = co_await transport_->send_for_json(
      calling("inspect image " + short_id(reference), "GET", image_path(reference, "/json"), limit));
  if (!value) co_return std::unexpected(std::move(value.error()));
  co_return decode_image(std::move(*value));
}

task<Result<std::vector<image_summary>>> images_api::list(filter_map filters, bool all, duration limit) {
  query path("/images/json");
  path.add_if(all, "all").filters(filters);
  auto value = co_await transport_->send_for_json(calling("list images", "GET", path.text(), limit));
  if (!value) co_return std::unexpected(std::move(value.error()));
  co_return decode_all<image_summary>(*value, decode_image_summary, "list images");
}

task<Result<image>> images_api::pull(std::string reference, std::string platform, std::string auth,
                                     on_pull_progress progress, duration idle) {
  const std::string what = "pull the image " + reference;
  const auto parsed = parse_reference(reference);
  if (!parsed) co_return std::unexpected(parsed.error());
  call of = calling(what, "POST", pull_path(*parsed, platform), idle);
  of.headers.set("X-Registry-Auth", auth.empty() ? std::string(anonymous_auth) : std::move(auth));
  auto stream = co_await transport_->open(std::move(of));
  if (!stream) co_return std::unexpected(as_pull_error(reference, what, std::move(stream.error())));
  pull_tracker tracker(reference);
  std::function<Result<>(const std::string&)> see = [&tracker, &progress](const std::string& object) {
    auto seen = tracker.see(object);
    if (seen && progress) progress(tracker.progress());
    return seen;
  };
  auto done = co_await follow(*stream, what, std::move(see), idle);
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return co_await inspect(std::move(reference));
}

task<Result<std::string>> images_api::import(std::string tar, std::string name, std::string tag,
                                             std::vector<std::string> changes, duration limit) {
  const std::string what = "import the image " + name + (tag.empty() ? "" : ":" + tag);
  query path("/images/create");
  path.add("fromSrc", "-").add_if(!name.empty(), "repo", name).add_if(!tag.empty(), "tag", tag);
  for (const auto& each : changes) path.add("changes", each);
  call of = calling(what, "POST", path.text(), limit);
  of.body = std::move(tar);
  of.content_type = "application/x-tar";
  auto stream = co_await transport_->open(std::move(of));
  if (!stream) co_return std::unexpected(std::move(stream.error()));
  std::string id;
  std::function<Result<>(const std::string&)> see = [&id, &what](const std::string& object) -> Result<> {
    auto value = parse_json(object, what);
    if (!value) return std::unexpected(std::move(value.error()));
    if (const std::string cause = text(*value, "error"); !cause.empty())
      return fail("engine-error", "cannot " + what + ": " + cause);
    id = text(*value, "status");
    return {};
  };
  auto done = co_await follow(*stream, what, std::move(see), limit);
  if (!done) co_return std::unexpected(std::move(done.error()));
  if (!id.starts_with("sha256:")) co_return std::unexpected(malformed(what, "it names no image"));
  co_return std::move(id);
}

task<Result<>> images_api::tag(std::string reference, std::string name, std::string tag, duration limit) {
  query path(image_path(reference, "/tag"));
  path.add("repo", name).add_if(!tag.empty(), "tag", tag);
  return transport_->send_for_nothing(
      calling("tag image " + short_id(reference), "POST", path.text(), limit));
}

task<Result<>> images_api::remove(std::string reference, bool force, duration limit) {
  query path(image_path(reference, ""));
  path.add_if(force, "force");
  return transport_->send_for_nothing(
      calling("remove image " + short_id(reference), "DELETE", path.text(), limit));
}

}  // namespace difyd::engine
