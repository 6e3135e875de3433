#include "yaml_events.hpp"

#include <algorithm>
#include <new>

namespace difyd::compose {
namespace {

std::string_view view(const yaml_char_t* text) {
  return text ? std::string_view(reinterpret_cast<const char*>(text)) : std::string_view{};
}

place place_of(const yaml_mark_t& mark, std::uint16_t file) {
  const auto column = std::min<std::size_t>(mark.column + 1, 65535);
  return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint16_t>(column), file};
}

}  // namespace

yaml_events::yaml_events(workspace& w, std::uint16_t file, std::string_view text) : w_(w), file_(file) {
  if (!yaml_parser_initialize(&parser_)) throw std::bad_alloc();
  yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
}

yaml_events::~yaml_events() {
  release();
  yaml_parser_delete(&parser_);
}

void yaml_events::release() {
  if (held_) yaml_event_delete(&event_);
  held_ = false;
}

const yaml_event_t& yaml_events::next() {
  release();
  if (!yaml_parser_parse(&parser_, &event_)) refuse_syntax();
  held_ = true;
  return event_;
}

place yaml_events::at() const { return place_of(event_.start_mark, file_); }

void yaml_events::refuse_syntax() const {
  if (parser_.error == YAML_MEMORY_ERROR) throw std::bad_alloc();
  std::string cause = parser_.problem ? parser_.problem : "broken YAML";
  place at = place_of(parser_.problem_mark, file_);
  if (parser_.error == YAML_READER_ERROR) at = {0, 0, file_};
  if (parser_.context) cause += std::string(" (") + parser_.context + ")";
  stop(w_, at, "compose-syntax", cause,
       "Correct the YAML: indentation, quotes and colons decide its structure");
}

std::string_view yaml_events::tag() const {
  switch (event_.type) {
    case YAML_SCALAR_EVENT:
      return view(event_.data.scalar.tag);
    case YAML_SEQUENCE_START_EVENT:
      return view(event_.data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
      return view(event_.data.mapping_start.tag);
    default:
      return {};
  }
}

std::string_view yaml_events::anchor() const {
  switch (event_.type) {
    case YAML_ALIAS_EVENT:
      return view(event_.data.alias.anchor);
    case YAML_SCALAR_EVENT:
      return view(event_.data.scalar.anchor);
    case YAML_SEQUENCE_START_EVENT:
      return view(event_.data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT:
      return view(event_.data.mapping_start.anchor);
    default:
      return {};
  }
}

}  // namespace difyd::compose
