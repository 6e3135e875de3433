// Where the ledger's files live: below the storage root, through the share's helper.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "difyd/base/task.hpp"
#include "difyd/host/share.hpp"

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

// Files of a folder of the share. A share that hangs costs a helper its life and the call its deadline,
// nothing else. Errors: host::share's, "bad-name".
class share_store final : public store {
 public:
  share_store(host::share files, std::string folder);

  task<Result<std::optional<std::string>>> read(std::string name) override;
  task<Result<>> write(std::string name, std::string bytes) override;
  std::string place(const std::string& name) const override;

 private:
  host::share files_;
  std::string folder_;
};

}  // namespace difyd::ledger
