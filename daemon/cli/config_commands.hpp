// `difyd config`: difyd's own configuration, without the daemon.
#pragma once

#include "context.hpp"

namespace difyd::cli {

int check_config(const options& given);
int print_config(const options& given);
int print_reference(const options& given);

}  // namespace difyd::cli
