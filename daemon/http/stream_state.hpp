// The insides of the client's two streams.
#pragma once

#include "exchange.hpp"

namespace difyd::http {

struct body_stream::state {
  explicit state(exchange started)
      : of(std::move(started)), head{of.answer->head.status, of.answer->head.headers, {}, {}} {}
  exchange of;
  response head;
};

struct raw_stream::state {
  state(std::unique_ptr<connection> from, endpoint at) : link(std::move(from)), where(std::move(at)) {}
  std::unique_ptr<connection> link;
  endpoint where;
};

}  // namespace difyd::http
