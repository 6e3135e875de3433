#include "difyd/host/releases.hpp"

#include <memory>
#include <nlohmann/json.hpp>

#include "difyd/base/url.hpp"
#include "difyd/host/share.hpp"
#include "helper_call.hpp"

namespace difyd::host {
namespace {

using nlohmann::json;

constexpr duration unpack_limit = std::chrono::minutes(5);

// Whole lines of what came; the rest waits for its end.
struct progress_lines {
  download_progress seen;
  std::string rest;

  void take(std::string_view bytes) {
    rest += bytes;
    for (std::size_t end; (end = rest.find('\n')) != std::string::npos; rest.erase(0, end + 1)) {
      const auto line = json::parse(rest.substr(0, end), nullptr, false);
      if (line.is_object() && line.contains("bytes") && seen)
        seen(line.value("bytes", std::uint64_t{}), line.value("total", std::uint64_t{}));
    }
  }
};

// Of the lines, the last one is the answer.
void keep_last_line(Result<process_result>& ended) {
  if (ended) ended->output.erase(0, ended->output.rfind('\n') + 1);
}

}  // namespace

task<Result<>> fetch_release(release_download what, download_progress seen) {
  const json request{{"folder", what.folder}, {"name", what.name},   {"url", what.url},
                     {"sha256", what.sha256}, {"proxy", what.proxy}, {"checksum_url", what.checksum_url}};
  auto spec = helper_spec(default_helper(), {"fetch"}, request.dump(), what.limit);
  add_network(spec.environment);
  auto lines = std::make_shared<progress_lines>(progress_lines{std::move(seen), {}});
  spec.on_output = [lines](std::string_view bytes) { lines->take(bytes); };
  auto ended = co_await run_process(std::move(spec));
  keep_last_line(ended);
  auto answer = answer_of(std::move(ended));
  if (!answer && answer.error().code == "deadline-exceeded")
    co_return fail("release-fetch",
                   "cannot fetch " + public_url(what.url) + ": it takes longer than " + to_text(what.limit),
                   "Try again, it goes on where it is where the server can, or raise releases.fetch_timeout");
  if (!answer) co_return fail(answer.error());
  co_return Result<>{};
}

task<Result<std::vector<tree_file>>> read_release(std::string archive, std::string sha256) {
  const std::vector<std::string> request{"unpack", archive, sha256.empty() ? "-" : std::move(sha256)};
  auto spec = helper_spec(default_helper(), request, {}, unpack_limit);
  spec.max_output = largest_tree;
  auto answer = answer_of(co_await run_process(std::move(spec)));
  if (!answer && answer.error().code == "deadline-exceeded")
    co_return fail("release-archive", "cannot unpack " + archive + ": no end within " + to_text(unpack_limit),
                   "Is it an archive of Dify, and does its disk answer?");
  if (!answer) co_return fail(answer.error());
  co_return unpack(*answer);
}

}  // namespace difyd::host
