// libyaml's parser as a pull of events: the only place that calls it.
#pragma once

#include <yaml.h>

#include "tree.hpp"

namespace difyd::compose {

class yaml_events {
 public:
  yaml_events(workspace& w, std::uint16_t file, std::string_view text);
  yaml_events(const yaml_events&) = delete;
  yaml_events& operator=(const yaml_events&) = delete;
  ~yaml_events();

  const yaml_event_t& next();  // valid until the next call; throws broken on a syntax error
  place at() const;            // where the current event starts

  // The tag and anchor of the current event, empty where there is none.
  std::string_view tag() const;
  std::string_view anchor() const;

 private:
  void release();
  [[noreturn]] void refuse_syntax() const;

  workspace& w_;
  std::uint16_t file_;
  yaml_parser_t parser_{};
  yaml_event_t event_{};
  bool held_ = false;
};

}  // namespace difyd::compose
