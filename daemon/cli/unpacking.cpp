#include "unpacking.hpp"

#include "context.hpp"
#include "difyd/host/releases.hpp"
#include "difyd/release/archive.hpp"

namespace difyd::cli {
namespace {

task<int> unpack(std::string source, version which, std::string archive, Result<>& done) {
  auto files = co_await host::read_release(archive, {});
  done = files ? release::lay_out_checked(*files, source, which, archive) : fail(files.error());
  co_return succeeded;
}

}  // namespace

Result<> unpack_release(const std::string& source, const version& which) {
  const auto found = release::look_for(source, which);
  if (found.folder || found.archive.empty()) return {};
  Result<> done;
  run_to_end(unpack(source, which, found.archive, done));
  return done;
}

}  // namespace difyd::cli
