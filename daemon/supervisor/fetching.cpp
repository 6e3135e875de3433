#include "fetching.hpp"

#include <filesystem>

#include "difyd/base/text.hpp"
#include "difyd/base/url.hpp"
#include "difyd/host/releases.hpp"
#include "difyd/release/archive.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

// People and the event log need a few lines.
constexpr auto tell_every = 3s;

void tell(world& w, const std::string& operation, const version& which, std::string state, std::string text) {
  w.events.tell(operation, "fetch", "release " + which.text(), std::move(state), std::move(text));
}

std::string hash_of(const config::releases_settings& settings, const version& which) {
  const auto known = settings.sha256.find(which.text());
  return known == settings.sha256.end() ? "" : known->second;
}

// Path of the archive.
task<Result<std::string>> fetch(world& w, version which, std::string operation) {
  const auto& settings = w.settings.releases;
  host::release_download what;
  what.folder = settings.source;
  what.url = release::url_for(which, settings.url);
  what.name = release::archive_name(which, what.url);
  what.sha256 = hash_of(settings, which);
  what.checksum_url = release::url_for(which, settings.checksum_url);
  what.proxy = settings.proxy;
  what.limit = settings.fetch_timeout;
  tell(w, operation, which, "begun", "from " + public_url(what.url));
  const auto begun = std::chrono::steady_clock::now();
  auto told = begun;
  host::download_progress seen = [&](std::uint64_t bytes, std::uint64_t total) {
    if (std::chrono::steady_clock::now() - told < tell_every) return;
    told = std::chrono::steady_clock::now();
    tell(w, operation, which, "working",
         bytes_text(bytes) + (total > 0 ? " of " + bytes_text(total) : std::string()));
  };
  const std::string path = what.folder + "/" + what.name;
  auto fetched = co_await host::fetch_release(std::move(what), std::move(seen));
  if (!fetched) {
    auto error = fetched.error();
    error.remedy += (error.remedy.empty() ? "Or" : ". Or") + std::string(" put dify-") + which.text() +
                    ".tar.gz into " + settings.source;
    co_return fail(std::move(error));
  }
  tell(w, operation, which, "done",
       to_text(std::chrono::duration_cast<duration>(std::chrono::steady_clock::now() - begun)));
  co_return path;
}

// A start is tried again every few seconds; nobody is asked for a file that often.
const Error* just_failed(const world& w, const version& which) {
  const auto& last = w.not_fetched;
  if (!last || last->which != which || w.stands.get()->at != phase::starting) return nullptr;
  return std::chrono::steady_clock::now() - last->at < 1min ? &last->error : nullptr;
}

task<void> remove_file(world& w, std::string path) {
  std::function<Result<>()> remove = [path]() -> Result<> {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    return {};
  };
  (void)co_await w.files.run<void>(std::move(remove), 30s, "remove " + path);
}

// What was fetched and is not the release that was asked for would only be found again.
task<Result<>> forget(world& w, version which, std::string archive, Error error) {
  if (!error.code.starts_with("release-")) co_return fail(std::move(error));
  error.remedy = "Correct releases.url: " + public_url(w.settings.releases.url) + " gave another release";
  w.not_fetched = failed_fetch{which, std::chrono::steady_clock::now(), error};
  co_await remove_file(w, std::move(archive));
  co_return fail(std::move(error));
}

task<Result<release::found_release>> look_for(world& w, version which) {
  const std::string source = w.settings.releases.source;
  std::function<Result<release::found_release>()> look = [source, which]() -> Result<release::found_release> {
    return release::look_for(source, which);
  };
  co_return co_await w.files.run<release::found_release>(std::move(look), 30s, "look into " + source);
}

}  // namespace

task<bool> must_be_fetched(world& w, version which) {
  const auto found = co_await look_for(w, which);
  co_return found && !found->folder && found->archive.empty() && !w.settings.releases.url.empty();
}

task<Result<>> have_bundle(world& w, version which, std::string operation) {
  const std::string source = w.settings.releases.source;
  const auto found = co_await look_for(w, which);
  if (!found) co_return fail(found.error());
  if (found->folder) co_return Result<>{};
  std::string archive = found->archive;
  if (archive.empty()) {
    if (w.settings.releases.url.empty()) co_return Result<>{};
    if (const auto* error = just_failed(w, which)) co_return fail(*error);
    auto fetched = co_await fetch(w, which, operation);
    if (!fetched) w.not_fetched = failed_fetch{which, std::chrono::steady_clock::now(), fetched.error()};
    if (!fetched) co_return fail(fetched.error());
    archive = std::move(*fetched);
  }
  auto files = co_await host::read_release(archive, hash_of(w.settings.releases, which));
  if (!files) co_return fail(files.error());
  const std::size_t count = files->size();
  std::function<Result<>()> work = [files = std::move(*files), source, which, archive] {
    return release::lay_out_checked(files, source, which, archive);
  };
  auto done = co_await w.files.run<void>(std::move(work), 2min, "unpack release " + which.text());
  if (!done && found->archive.empty()) co_return co_await forget(w, which, archive, done.error());
  if (!done) co_return done;
  tell(w, operation, which, "unpacked", std::to_string(count) + " files of " + archive);
  // What an operator put there is his.
  if (found->archive.empty()) co_await remove_file(w, archive);
  co_return done;
}

task<void> prune_parts(world& w, version newest) {
  const std::string source = w.settings.releases.source;
  std::function<Result<>()> remove = [source, newest]() -> Result<> {
    release::remove_parts(source, newest);
    return {};
  };
  (void)co_await w.files.run<void>(std::move(remove), 30s, "remove parts in " + source);
}

}  // namespace difyd::supervisor
