#include "release_verbs.hpp"

#include <sys/prctl.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "archive.hpp"
#include "download.hpp"

namespace difyd::helper {
namespace {

using nlohmann::json;
using words = std::vector<std::string>;

Result<std::string> unpack_verb(const words& all) {
  auto files = read_archive(all[1], all[2] == "-" ? "" : all[2]);
  if (!files) return fail(files.error());
  return pack(*files);
}

Result<download> asked() {
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  const auto request = json::parse(text, nullptr, false);
  if (!request.is_object()) return fail("bad-argument", "cannot read what is to be fetched");
  download what;
  what.folder = request.value("folder", "");
  what.name = request.value("name", "");
  what.url = request.value("url", "");
  what.sha256 = request.value("sha256", "");
  what.checksum_url = request.value("checksum_url", "");
  what.transfer.proxy = request.value("proxy", "");
  what.transfer.stall = std::chrono::seconds(request.value("stall_seconds", 60));
  what.largest = request.value("largest", what.largest);
  return what;
}

Result<std::string> fetch_verb() {
  // Its deadline is the daemon's: a download that outlived it would only keep the next one waiting.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto what = asked();
  if (!what) return fail(what.error());
  using clock = std::chrono::steady_clock;
  clock::time_point told{};
  const auto tell = [&](std::uint64_t bytes, std::uint64_t total) {
    if (clock::now() - told < std::chrono::seconds(1)) return;
    told = clock::now();
    std::printf("%s\n", json{{"bytes", bytes}, {"total", total}}.dump().c_str());
    std::fflush(stdout);
  };
  if (auto done = run(*what, tell); !done) return fail(done.error());
  return std::string("{}");
}

}  // namespace

bool is_release_verb(const words& all) {
  return (all.size() == 3 && all[0] == "unpack") || (all.size() == 1 && all[0] == "fetch");
}

Result<std::string> run_release_verb(const words& all) {
  return all[0] == "unpack" ? unpack_verb(all) : fetch_verb();
}

}  // namespace difyd::helper
