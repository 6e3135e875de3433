// What the engine streams: log frames, the lines of a pull, events. The first byte says which one and where
// the stream is cut; whatever the cuts, the same must come out.
#include <algorithm>
#include <cstdint>

#include "check.hpp"
#include "difyd/engine/event.hpp"
#include "difyd/engine/frame.hpp"
#include "difyd/engine/image.hpp"

using namespace difyd;
using namespace difyd::engine;

namespace {

// Everything that the decoder gives for the text in pieces of that length; nullopt where it refuses.
template <class Decoder>
auto in_pieces(Decoder decoder, std::string_view text, std::size_t length, bool& refused) {
  typename decltype(decoder.feed(text))::value_type all;
  refused = false;
  while (!text.empty() && !refused) {
    auto some = decoder.feed(text.substr(0, std::min(length, text.size())));
    text.remove_prefix(std::min(length, text.size()));
    refused = !some.has_value();
    if (refused)
      DEMAND(some.error().code == "engine-malformed-answer");
    else
      all.insert(all.end(), some->begin(), some->end());
  }
  return all;
}

// A payload comes in as many parts as the stream was cut into.
std::vector<frame> joined(const std::vector<frame>& frames) {
  std::vector<frame> all;
  for (const auto& each : frames) {
    if (!all.empty() && all.back().stream == each.stream)
      all.back().bytes += each.bytes;
    else if (!each.bytes.empty())
      all.push_back(each);
  }
  return all;
}

void read_frames(std::string_view text, std::size_t length, bool tty) {
  bool refused = false, refused_whole = false;
  const auto cut = in_pieces(frame_decoder(tty), text, length, refused);
  const auto whole = in_pieces(frame_decoder(tty), text, text.size(), refused_whole);
  DEMAND(refused == refused_whole);
  // What stood before the place that is refused comes only where the stream was cut there.
  if (!refused) DEMAND(joined(cut) == joined(whole));
  std::size_t bytes = 0;
  for (const auto& each : cut) bytes += each.bytes.size();
  DEMAND(bytes <= text.size());
}

std::vector<std::string> read_objects(std::string_view text, std::size_t length) {
  constexpr std::size_t longest = 4096;
  bool refused = false, refused_whole = false;
  auto cut = in_pieces(json_splitter(longest), text, length, refused);
  const auto whole = in_pieces(json_splitter(longest), text, text.size(), refused_whole);
  DEMAND(refused == refused_whole);
  if (!refused) DEMAND(cut == whole);
  for (const auto& each : cut) DEMAND(each.starts_with('{') && each.size() > 1 && each.size() <= longest);
  return cut;
}

void read_pull(std::string_view text, std::size_t length) {
  pull_tracker tracker("registry.example/x:1");
  for (const auto& each : read_objects(text, length)) {
    if (const auto seen = tracker.see(each); !seen) {
      DEMAND(seen.error().code == "image-pull-failed" || seen.error().code == "engine-malformed-answer");
      DEMAND(seen.error().message.starts_with("cannot pull the image registry.example/x:1"));
      break;
    }
    DEMAND(tracker.progress().layers_done <= tracker.progress().layers);
  }
}

void read_events(std::string_view text, std::size_t length) {
  for (const auto& each : read_objects(text, length)) {
    const auto read = decode_event(each);
    if (!read) continue;
    DEMAND(!read->type.empty() && !read->action.empty());
    DEMAND(since_text(read->time_nano).find('.') != std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t length = 1 + data[0] / 4 % 32;
  switch (data[0] % 4) {
    case 0:
      read_frames(text, length, false);
      break;
    case 1:
      read_frames(text, length, true);
      break;
    case 2:
      read_pull(text, length);
      break;
    default:
      read_events(text, length);
  }
  return 0;
}
