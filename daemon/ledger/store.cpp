#include "difyd/ledger/store.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "difyd/base/durable_file.hpp"

namespace difyd::ledger {
namespace {

// The ledger and the logs beside it name hosts and versions, no secrets; still they are root's.
constexpr mode_t file_mode = 0600;
constexpr mode_t folder_mode = 0700;

Result<> make_folder(const std::string& folder) {
  if (::mkdir(folder.c_str(), folder_mode) == 0 || errno == EEXIST) return {};
  return fail("file-io", "cannot create " + folder + ": " + std::strerror(errno),
              errno == ENOENT ? "The storage root is missing: mount it or create it" : "");
}

Result<std::optional<std::string>> read_if_there(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return std::nullopt;
  auto bytes = read_file(path);
  if (!bytes) return fail(std::move(bytes.error()));
  return std::move(*bytes);
}

// A name becomes one file of the folder and nothing else.
Result<> check_name(const std::string& name) {
  const bool good = !name.empty() && name.front() != '.' && name.find('/') == std::string::npos;
  if (good) return {};
  return fail("bad-name", "cannot use \"" + name + "\" as a file of the ledger");
}

}  // namespace

folder_store::folder_store(asio::any_io_executor executor, std::string folder, duration limit)
    : folder_(std::move(folder)), limit_(limit), lane_(std::move(executor), "ledger") {}

std::string folder_store::place(const std::string& name) const { return folder_ + "/" + name; }

task<Result<std::optional<std::string>>> folder_store::read(std::string name) {
  if (auto good = check_name(name); !good) co_return fail(std::move(good.error()));
  const std::string path = place(name);
  std::function<Result<std::optional<std::string>>()> call = [path] { return read_if_there(path); };
  co_return co_await lane_.run(std::move(call), limit_, "read " + path);
}

task<Result<>> folder_store::write(std::string name, std::string bytes) {
  if (auto good = check_name(name); !good) co_return fail(std::move(good.error()));
  const std::string path = place(name);
  std::function<Result<>()> call = [folder = folder_, path, bytes = std::move(bytes)]() -> Result<> {
    if (auto made = make_folder(folder); !made) return made;
    return write_durably(path, bytes, file_mode);
  };
  co_return co_await lane_.run(std::move(call), limit_, "write " + path);
}

}  // namespace difyd::ledger
