// What a hop between two releases does to the services of the stack. Pure.
#pragma once

#include <string>
#include <vector>

#include "difyd/base/error.hpp"
#include "difyd/compose/project.hpp"

namespace difyd::release {

// renamed: another service now has its data; settings: the same image, made anew all the same.
enum class data_change_kind { added, renamed, dropped, image, settings };

std::string_view to_text(data_change_kind kind);

// Of a service that keeps data (roles, infrastructure).
struct data_change {
  std::string service;
  data_change_kind kind = data_change_kind::settings;
  std::string was;                    // renamed: its name so far; image: the image so far
  std::string image;                  // from now on; dropped: empty
  bool another_image = false;         // what has run on the data so far was another image
  std::vector<std::string> settings;  // what differs: "environment PGDATA", "command", "volumes", "others"

  friend bool operator==(const data_change&, const data_change&) = default;
};

struct service_changes {
  std::vector<std::string> added;
  std::vector<std::string> removed;
  std::vector<data_change> data;  // by service

  friend bool operator==(const service_changes&, const service_changes&) = default;
};

service_changes changes_of_services(const compose::project& before, const compose::project& after);

// What a service of one project has otherwise than one of another, but for image and name: "environment
// PGDATA", "command", "volumes", "others". Their folders may be others.
std::vector<std::string> different_settings(const compose::project& before, const compose::service& old,
                                            const compose::project& after, const compose::service& now);

// Two services that run on one data directory destroy it. Error "shared-data".
Result<> refuse_shared_data(const compose::project& project);

}  // namespace difyd::release
