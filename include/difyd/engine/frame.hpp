// Decoders of the engine's two stream formats. Pure: bytes in, values out, whatever the chunk borders.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/error.hpp"

namespace difyd::engine {

enum class stream_kind { standard_input = 0, standard_output = 1, standard_error = 2 };

struct frame {
  stream_kind stream = stream_kind::standard_output;
  std::string bytes;  // not necessarily whole lines

  friend bool operator==(const frame&, const frame&) = default;
};

// Logs, attach and exec: 8 bytes [kind, 0, 0, 0, length big endian], then the payload. With a
// terminal (Config.Tty) there are no headers: everything is standard output.
class frame_decoder {
 public:
  explicit frame_decoder(bool tty) : tty_(tty) {}
  // Frames completed by these bytes. A payload is passed on as it comes, in parts if need be,
  // so a frame's announced length costs no memory. Error "engine-malformed-answer".
  Result<std::vector<frame>> feed(std::string_view bytes);
  bool between_frames() const { return tty_ || (left_ == 0 && header_.empty()); }

 private:
  bool tty_;
  std::string header_;
  stream_kind kind_ = stream_kind::standard_output;
  std::size_t left_ = 0;
};

// Events, pulls: JSON objects one after the other, with or without line breaks between them.
class json_splitter {
 public:
  explicit json_splitter(std::size_t max_object = 1u << 20) : max_object_(max_object) {}
  // The texts of the objects completed by these bytes. Error "engine-malformed-answer" for what
  // cannot be an object or is longer than allowed.
  Result<std::vector<std::string>> feed(std::string_view bytes);
  bool between_objects() const { return depth_ == 0; }

 private:
  std::size_t max_object_;
  std::string pending_;
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace difyd::engine
