// The document of `difyd plan`, out of facts that were gathered before (planning.cpp).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "difyd/control/plan.hpp"
#include "difyd/engine/image.hpp"
#include "difyd/ledger/record.hpp"
#include "difyd/release/advisories.hpp"
#include "difyd/release/env_diff.hpp"
#include "difyd/release/working_copy.hpp"
#include "difyd/stack/plan.hpp"

namespace difyd::supervisor {

struct plan_facts {
  std::shared_ptr<const release::release> before;  // what is deployed; null before the first installation
  std::shared_ptr<const release::release> after;
  std::optional<release::text_map> published_before;  // .env.example; unset: not at hand
  release::text_map published_after;
  release::key_map renamed_keys;
  std::vector<release::advisory> advisories;
  std::vector<stack::operation> operations;
  std::map<std::string, engine::image> images;  // by reference, of both releases; those that are here
  control::planned_disk disk;                   // path and free_bytes
  control::planned_schema schema;
  std::vector<ledger::upgrade_record> history;
  std::vector<release::overlay_change> overlay;
  std::string backup;   // upgrade.backup
  std::string refused;  // as in the document
  std::vector<std::string> notes;
};

// Pure. Error "shared-data".
Result<control::plan> document_of(const plan_facts& facts);

}  // namespace difyd::supervisor
