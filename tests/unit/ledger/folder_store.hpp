// The ledger's files in a local folder, without the helper.
#pragma once

#include <filesystem>

#include "difyd/base/durable_file.hpp"
#include "difyd/ledger/store.hpp"

namespace difyd::ledger {

class folder_store final : public store {
 public:
  explicit folder_store(std::string folder) : folder_(std::move(folder)) {
    std::error_code missing_parent;
    std::filesystem::create_directory(folder_, missing_parent);
  }
  task<Result<std::optional<std::string>>> read(std::string name) override {
    if (!std::filesystem::exists(place(name))) co_return std::nullopt;
    auto bytes = read_file(place(name));
    if (!bytes) co_return fail(bytes.error());
    co_return *bytes;
  }
  task<Result<>> write(std::string name, std::string bytes) override {
    co_return write_durably(place(name), bytes, 0600);
  }
  std::string place(const std::string& name) const override { return folder_ + "/" + name; }

 private:
  std::string folder_;
};

}  // namespace difyd::ledger
