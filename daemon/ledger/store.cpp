#include "difyd/ledger/store.hpp"

namespace difyd::ledger {
namespace {

// The ledger and the logs beside it name hosts and versions, no secrets; still they are root's.
constexpr mode_t file_mode = 0600;

// A name becomes one file of the folder and nothing else.
Result<> check_name(const std::string& name) {
  const bool good = !name.empty() && name.front() != '.' && name.find('/') == std::string::npos;
  if (good) return {};
  return fail("bad-name", "cannot use \"" + name + "\" as a file of the ledger");
}

}  // namespace

share_store::share_store(host::share files, std::string folder)
    : files_(std::move(files)), folder_(std::move(folder)) {}

std::string share_store::place(const std::string& name) const {
  return files_.root() + "/" + folder_ + "/" + name;
}

task<Result<std::optional<std::string>>> share_store::read(std::string name) {
  if (auto good = check_name(name); !good) co_return fail(std::move(good.error()));
  auto bytes = co_await files_.read(folder_ + "/" + name);
  if (!bytes && bytes.error().code == "file-missing") co_return std::nullopt;
  if (!bytes) co_return fail(std::move(bytes.error()));
  co_return std::move(*bytes);
}

task<Result<>> share_store::write(std::string name, std::string bytes) {
  if (auto good = check_name(name); !good) co_return fail(std::move(good.error()));
  co_return co_await files_.write(folder_ + "/" + name, std::move(bytes), file_mode);
}

}  // namespace difyd::ledger
