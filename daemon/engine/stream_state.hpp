// The insides of the engine's streams.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "difyd/engine/stream.hpp"
#include "difyd/http/client.hpp"

namespace difyd::engine {

template <class Bytes>
struct frame_source {
  frame_source(std::string purpose, Bytes from, bool tty)
      : what(std::move(purpose)), bytes(std::move(from)), decoder(tty) {}
  std::string what;
  Bytes bytes;
  frame_decoder decoder;
  std::deque<frame> ready;
};

struct log_stream::state : frame_source<http::body_stream> {
  using frame_source::frame_source;
};

struct attached_stream::state : frame_source<http::raw_stream> {
  using frame_source::frame_source;
};

struct event_stream::state {
  std::string what;
  http::body_stream bytes;
  json_splitter splitter;
  std::deque<event> ready;
};

struct exit_wait::state {
  std::string what;
  http::body_stream bytes;
};

}  // namespace difyd::engine
