// Files that exist only in the test.
#pragma once

#include <difyd/compose/load.hpp>
#include <map>

struct memory_reader final : difyd::compose::reader {
  std::map<std::string, std::string> files;

  explicit memory_reader(std::map<std::string, std::string> given) : files(std::move(given)) {}

  difyd::Result<std::string> read_file(const std::string& path) const override {
    const auto found = files.find(path);
    if (found == files.end())
      return difyd::fail("file-not-found", "cannot read " + path + ": no such file or directory");
    return found->second;
  }

  bool exists(const std::string& path) const override { return files.contains(path); }
};

// Loads /p/compose.yaml with nothing else around it.
inline difyd::Result<difyd::compose::loaded> load_text(const std::string& text,
                                                       difyd::compose::text_map environment = {},
                                                       std::map<std::string, std::string> more = {}) {
  more.emplace("/p/compose.yaml", text);
  difyd::compose::source from;
  from.cwd = "/p";
  from.environment = std::move(environment);
  return difyd::compose::load(from, memory_reader(std::move(more)));
}

// One service s with an image and the given keys (flow style).
inline std::string service_text(const std::string& keys) { return "services: {s: {image: i, " + keys + "}}"; }
