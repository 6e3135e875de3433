#include "notes.hpp"

#include <array>

namespace difyd::compose {
namespace {

struct ignored_key {
  std::string_view key;
  std::string_view why;
};

constexpr std::array ignored{
    ignored_key{"credential_spec", "it is for Windows containers"},
    ignored_key{"develop", "difyd watches no source files"},
    ignored_key{"models", "difyd runs no models"},
    ignored_key{"provider", "difyd runs no providers, and leaves the service out"},
    ignored_key{"use_api_socket", "difyd hands the engine's socket to no container"},
};

}  // namespace

void note_ignored(workspace& w, const node& model, const project& p) {
  const node* services = model.find("services");
  if (!services) return;
  for (const auto& f : services->fields) {
    if (!p.services.contains(f.key)) continue;
    for (const auto& key : f.value.fields)
      for (const auto& [name, why] : ignored)
        if (key.key == name && key.value.is != kind::null)
          w.warn(w.where(key.at) + ": services." + std::string(f.key) + "." + std::string(name) +
                 " is ignored: " + std::string(why));
  }
}

}  // namespace difyd::compose
