// `difyd plan`: what an upgrade, or converging, would do, as a document with a hash.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/error.hpp"

namespace difyd::control {

// What must be known before this upgrade (config/advisories.yaml).
struct planned_advisory {
  std::string id;
  std::string kind;          // stop, before, after, value, manual, note
  bool acknowledge = false;  // whether the upgrade is refused without --acknowledge ID
  std::string text;
  std::string service;  // before, after: where the commands run
  std::vector<std::string> commands;
  std::string key;    // value: of the environment
  std::string value;  // value: empty where it is the operator's own
  std::string source;
};

struct planned_operation {
  std::string kind;    // "recreate container", ...
  std::string target;  // name on the engine
  std::string service;
  std::string cause;
};

struct planned_image {
  std::string image;
  bool present = false;
  bool changed = false;       // the version that is deployed does not use it
  std::string id;             // "sha256:..."; empty before the pull
  std::string digest;         // the registry's; empty before the pull, and where it came from no registry
  std::int64_t bytes = 0;     // 0: not known before the pull
  std::int64_t estimate = 0;  // of one to pull: what its predecessor takes; 0: it has none here
};

// Where the engine keeps its images.
struct planned_disk {
  std::string path;  // empty: not measured
  std::int64_t free_bytes = 0;
  std::int64_t needed_bytes = 0;  // by the estimates
  bool needed_known = true;       // false: something to pull has no estimate
};

// As `difyd env diff` tells them; secrets only as "set", "default" or "changed".
struct planned_change {
  std::string key;
  std::string kind;  // added, removed, renamed, changed, value
  std::string new_key;
  std::string old_default;
  std::string new_default;
  std::string in_force;
  std::string then_in_force;
  bool secret = false;
  std::string matters;  // empty: it probably does not
};

struct planned_migration {
  std::string revision;
  std::string text;     // the first line of what it says about itself
  std::string commits;  // what in it commits midway: "autocommit_block"; empty: nothing
};

struct planned_schema {
  std::string from;  // of the database as it is
  std::string to;    // the new image's head; empty where the image is not there to ask
  std::vector<planned_migration> migrations;  // in the order in which they run
  std::string unknown;                        // why `to` or `migrations` are not known
};

struct planned_data_service {
  std::string service;
  std::string kind;           // renamed, dropped, added, image, settings
  std::string was;            // renamed: its former name; image: the former image
  std::string is;             // the image from now on; settings: what differs
  bool irreversible = false;  // once it has started, going back by itself is impossible
  std::string does;           // what difyd does with it, and with its data
};

// A file of the operator's overlay whose published original the upgrade changes.
struct planned_overlay {
  std::string path;
  std::string change;  // changed, removed, or added: there is one now
};

struct planned_step {
  std::string step;
  double seconds = 0;
};

// From a past upgrade here; `upgrade` is empty where there was none.
struct planned_downtime {
  double seconds = 0;
  std::string upgrade;  // id, as difyd history has it
  std::string from;
  std::string to;
  std::string started;
  std::vector<planned_step> steps;  // from stop on
};

struct plan {
  std::string from;  // versions; equal where only the configuration is followed
  std::string to;
  std::string hash;     // plan_hash of the rest
  std::string refused;  // why the upgrade would be refused, whatever is acknowledged
  std::vector<planned_advisory> advisories;
  planned_downtime downtime;
  std::string reversible;  // until where going back is possible
  std::string backup;      // what is taken
  planned_schema schema;
  std::vector<planned_data_service> data_services;
  std::vector<std::string> services_added;
  std::vector<std::string> services_removed;
  std::vector<planned_change> environment;
  std::string environment_hash;      // of all of it, as it would be in force
  std::vector<std::string> carried;  // keys whose values are carried forward
  std::vector<planned_image> images;
  planned_disk disk;
  std::string release;  // sha256 of the release's files
  std::vector<planned_overlay> overlay;
  std::string overlay_hash;      // of all files of the overlay; empty: there is none
  std::string overlay_original;  // folder with what the release publishes, where overlay is not empty
  std::vector<planned_operation> operations;
  std::vector<std::string> notes;
};

// Twelve characters over all that the plan would do, "-", and two for each of its sections, so that a
// plan that is another by now can name what changed. Free space, past durations and what difyd merely
// says are not in it.
std::string plan_hash(const plan& document);

// Errors: "bad-request" where `expected` is no such hash, "plan-changed".
Result<> refuse_another_plan(const std::string& expected, const plan& now);

std::string to_json(const plan&);
Result<plan> parse_plan(std::string_view json);

}  // namespace difyd::control
