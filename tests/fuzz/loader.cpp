// YAML to a project and back. An input is several files in one text: a line "#file: NAME" begins one, what
// stands before the first is compose.yaml; "environment" holds the process's variables, "arguments" the -f
// files and profiles ("-f NAME", "--profile NAME"), one a line.
#include <cstdint>
#include <difyd/compose/canonical.hpp>
#include <difyd/compose/hash.hpp>
#include <difyd/compose/load.hpp>
#include <map>

#include "check.hpp"

using namespace difyd::compose;

namespace {

constexpr std::string_view mark = "#file: ";
const std::string folder = "/case/";

struct input final : reader {
  std::map<std::string, std::string, std::less<>> files;

  difyd::Result<std::string> read_file(const std::string& path) const override {
    const auto found = files.find(path);
    if (found == files.end()) return difyd::fail("file-not-found", "cannot read " + path + ": not there");
    return found->second;
  }
  bool exists(const std::string& path) const override { return files.contains(path); }
};

std::string_view next_line(std::string_view& left) {
  const auto line = left.substr(0, left.find('\n'));
  left.remove_prefix(std::min(left.size(), line.size() + 1));
  return line;
}

void split(std::string_view text, input& into) {
  std::string* file = &into.files[folder + "compose.yaml"];
  while (!text.empty()) {
    const auto line = next_line(text);
    if (line.starts_with(mark))
      file = &into.files[folder + std::string(line.substr(mark.size()))];
    else
      file->append(line).push_back('\n');
  }
}

source source_of(const input& in) {
  source from;
  from.cwd = "/case";
  std::string_view left;
  if (const auto own = in.files.find(folder + "environment"); own != in.files.end()) left = own->second;
  while (!left.empty()) {
    const auto line = next_line(left);
    if (const auto equals = line.find('='); equals != std::string_view::npos)
      from.environment.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  if (const auto own = in.files.find(folder + "arguments"); own != in.files.end()) left = own->second;
  while (!left.empty()) {
    const auto line = next_line(left);
    if (line.starts_with("-f ")) from.files.emplace_back(line.substr(3));
    if (line.starts_with("--profile ")) from.profiles.emplace_back(line.substr(10));
  }
  return from;
}

// What `config` prints is a compose file that means the same.
void print_and_read(const project& p) {
  const std::string printed = to_json(p);
  input again;
  again.files[folder + "compose.yaml"] = printed;
  source from;
  from.cwd = "/case";
  from.environment = p.environment;
  from.environment.erase("COMPOSE_FILE");
  from.profiles = {"*"};
  const auto second = load(from, again);
  if (second) DEMAND(!to_json(second->project).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  input in;
  split({reinterpret_cast<const char*>(data), size}, in);
  auto loaded = load(source_of(in), in);
  if (!loaded) {
    DEMAND(loaded.error().message.starts_with("cannot "));
    DEMAND(loaded.error().message.find_first_of("\n\x1b") == std::string::npos);
    DEMAND(!loaded.error().code.empty());
    return 0;
  }
  auto& p = loaded->project;
  drop_unused_resources(p);
  print_and_read(p);
  DEMAND(!to_yaml(p).empty());
  for (const auto& [name, s] : p.services) DEMAND(config_hash(s).size() == 64);
  return 0;
}
