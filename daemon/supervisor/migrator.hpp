// What every run of `flask db upgrade` has in common: that of an upgrade and that of a rehearsal. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/clock.hpp"
#include "difyd/compose/project.hpp"
#include "difyd/stack/job.hpp"

namespace difyd::supervisor {

// Session settings of the migrator, in DB_EXTRAS: Dify passes options of its own to libpq, so PGOPTIONS has
// no effect (Dify FACTS section c). `present`: what the release has there.
std::string migrator_extras(const std::string& present, int server_version);

// `session`: its application_name.
stack::job_spec migrator_spec(const compose::project& project, const std::string& container,
                              const std::string& session, int server_version);

// Output comes in pieces; events are whole lines.
class line_splitter {
 public:
  explicit line_splitter(std::function<void(std::string)> tell) : tell_(std::move(tell)) {}
  void feed(std::string_view bytes);

 private:
  std::function<void(std::string)> tell_;
  std::string rest_;
};

// The line that names the error: Python prints it before details that say less.
std::string cause_line(const std::string& output);

}  // namespace difyd::supervisor
