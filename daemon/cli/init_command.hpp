// `difyd init`.
#pragma once

#include "context.hpp"
#include "difyd/config/settings.hpp"

namespace difyd::cli {

struct init_wish {
  config::settings settings;    // at their defaults, but for what was asked for
  std::string version;          // empty: the newest below releases.source
  std::string database, redis;  // "", "bundled" or "external"
  std::string nfs;              // "server:/export"
  std::string port;             // that nginx publishes
  init_wish();
};

int init(const options& given, const init_wish& wish);

}  // namespace difyd::cli
