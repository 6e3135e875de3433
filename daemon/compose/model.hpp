// Files -> one merged tree in long form with absolute paths: parse, interpolate, extend,
// include, merge (REFERENCE 1.1).
#pragma once

#include <difyd/compose/reader.hpp>
#include <map>

#include "edits.hpp"
#include "paths.hpp"
#include "template.hpp"
#include "tree.hpp"

namespace difyd::compose {

struct model_source {
  text_list files;  // absolute, or "-"
  std::string directory;
  text_map environment;
};

// A file's documents, parsed once however often it is loaded.
class documents {
 public:
  documents(workspace& w, const reader& files) : w_(w), files_(files) {}

  const std::vector<node>& of(const std::string& path, place asked_at);

 private:
  workspace& w_;
  const reader& files_;
  std::map<std::string, std::vector<node>> parsed_;
};

class model_loader {
 public:
  model_loader(workspace& w, documents& parsed, const reader& files, std::string home)
      : w_(w), parsed_(parsed), files_(files), home_(std::move(home)) {}

  node load(const model_source& from);

 private:
  // One file as it is being loaded.
  struct scope {
    const model_source& source;
    std::string file;
    lookup find;
  };
  using chain = std::vector<std::string>;  // "service in file", for cycles

  node load_model(const model_source& from, chain& included);
  void load_file(const model_source& from, const std::string& file, node& into, chain& included);
  void merge_in(node& into, node document);

  void apply_extends(node& document, const scope& s, const std::vector<edit>& edits);
  node extended(std::string_view name, node& services, const scope& s, chain& seen,
                const std::vector<edit>& edits);
  node base_services(const node& file, std::string_view name, std::string_view base, const scope& s,
                     std::string& path, std::vector<edit>& edits);

  void apply_includes(node& document, const scope& s, chain& included);
  model_source include_source(const node& item, const scope& s, chain& included);
  text_map include_environment(const node* env_file, const model_source& inner, const scope& s);

  workspace& w_;
  documents& parsed_;
  const reader& files_;
  std::string home_;
};

}  // namespace difyd::compose
