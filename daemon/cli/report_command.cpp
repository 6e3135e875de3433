#include "report_command.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "difyd/base/clock.hpp"
#include "difyd/base/process.hpp"
#include "difyd/base/text.hpp"
#include "difyd/stack/tar.hpp"
#include "report_parts.hpp"

namespace difyd::cli {
namespace {

using namespace std::chrono_literals;

// 20261121T165309Z
std::string time_stamp() {
  std::string result;
  for (const char c : to_rfc3339(std::chrono::system_clock::now()).substr(0, 19))
    if (c != '-' && c != ':') result += c;
  return result + "Z";
}

void append(report_parts& to, report_parts more) {
  for (auto& each : more) to.push_back(std::move(each));
}

// gzip is on every Debian; a library for one command would be loaded by all.
task<Result<std::string>> compressed(std::string tar) {
  process_spec spec;
  spec.argv = {"/bin/gzip", "-9n"};
  spec.environment = {"PATH=/usr/bin:/bin"};
  spec.max_output = tar.size() + (1u << 20);
  spec.input = std::move(tar);
  spec.limit = 120s;
  auto done = co_await run_process(std::move(spec));
  if (!done) co_return fail(done.error());
  if (done->exit_code != 0) co_return fail("gzip-failed", "cannot compress the report: " + done->errors);
  co_return std::move(done->output);
}

// Never over something that is there, and nobody else's to read.
Result<> write_new(const std::string& path, const std::string& bytes) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  const auto failed = [&] {
    return fail("file-io", "cannot write " + path + ": " + std::strerror(errno),
                "Another place: difyd report --output FILE");
  };
  if (file < 0) return failed();
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(file, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  const bool whole = done == bytes.size() && ::fsync(file) == 0;
  if (::close(file) == 0 && whole) return {};
  auto error = failed();
  ::unlink(path.c_str());
  return error;
}

std::vector<stack::inline_file> files_of(const report_parts& parts, const redactor& secrets,
                                         const std::string& folder) {
  std::vector<stack::inline_file> files;
  for (const auto& each : parts)
    files.push_back({folder + "/" + each.name, secrets.clean(each.text), 0600, 0, 0});
  return files;
}

std::string folder_of(std::string path) {
  path = path.substr(path.rfind('/') + 1);
  for (const auto* end : {".gz", ".tgz", ".tar"})
    if (path.ends_with(end)) path.resize(path.size() - std::strlen(end));
  return path.empty() ? "difyd-report" : path;
}

int tell(const std::string& path, std::size_t bytes, const report_parts& parts) {
  if (answers_in_json()) {
    nlohmann::ordered_json out{{"file", path}, {"bytes", bytes}, {"files", nlohmann::ordered_json::array()}};
    for (const auto& each : parts) out["files"].push_back(each.name);
    std::printf("%s\n", out.dump().c_str());
    return succeeded;
  }
  std::printf(
      "%s (%s, %zu files) is for an issue thread.\n"
      "Secrets that difyd knows, and what looks like one, are taken out. Names, addresses and what "
      "your users\nhave caused in logs are not: look at it before you give it away: tar -tzf %s\n",
      path.c_str(), bytes_text(bytes).c_str(), parts.size(), path.c_str());
  return succeeded;
}

task<int> make_report(options given, std::string output) {
  if (::geteuid() != 0)
    co_return report(
        {"needs-root", "cannot write a report: the secrets that must not be in it are root's to read",
         "sudo difyd report"},
        refused);
  const auto loaded = config::load_all(given.config, config::this_process());
  redactor secrets;
  add_secrets(secrets, loaded.values);
  if (output.empty()) output = "difyd-report-" + time_stamp() + ".tar.gz";
  auto parts = co_await machine_parts();
  append(parts, configuration_parts(given, loaded));
  append(parts, co_await daemon_parts(given));
  append(parts, co_await engine_parts(loaded.values, &secrets));
  auto archive = stack::tar_of(
      files_of(parts, secrets, folder_of(output)),
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
  if (!archive) co_return report(archive.error());
  if (!output.ends_with(".tar")) {
    archive = co_await compressed(std::move(*archive));
    if (!archive) co_return report(archive.error());
  }
  if (auto written = write_new(output, *archive); !written) co_return report(written.error());
  co_return tell(output, archive->size(), parts);
}

}  // namespace

int write_report(const options& given, const std::string& output) {
  return run_to_end(make_report(given, output));
}

}  // namespace difyd::cli
