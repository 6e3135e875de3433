// Where the ledger's files live. host's share helper will stand behind this interface; a
// local folder does today.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "difyd/base/lane.hpp"
#include "difyd/base/task.hpp"

namespace difyd::ledger {

class store {
 public:
  store() = default;
  store(const store&) = delete;
  store& operator=(const store&) = delete;
  virtual ~store() = default;

  // nullopt: there is no such file.
  virtual task<Result<std::optional<std::string>>> read(std::string name) = 0;
  // Durable when it returns: a crash leaves the old bytes or the new ones.
  virtual task<Result<>> write(std::string name, std::string bytes) = 0;
  // For messages: "/srv/dify/.difyd/ledger.json".
  virtual std::string place(const std::string& name) const = 0;
};

// Files of a folder that is made (0700) where it is missing; its parent must exist, because a
// storage root that is not mounted must not become a folder on the boot disk.
class folder_store final : public store {
 public:
  folder_store(asio::any_io_executor executor, std::string folder, duration limit = std::chrono::seconds(20));

  task<Result<std::optional<std::string>>> read(std::string name) override;
  task<Result<>> write(std::string name, std::string bytes) override;
  std::string place(const std::string& name) const override;

 private:
  std::string folder_;
  duration limit_;
  lane lane_;
};

}  // namespace difyd::ledger
