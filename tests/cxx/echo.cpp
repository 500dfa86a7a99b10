// The header in C++: every inline function is called, and the handlers are C++ functions.
#include <coho/coho.h>
#include <cstdio>

namespace {

void opened(coho_conn *c) {
  static const char bytes[] = {0, 1, 2};
  coho_send(c, coho_text("hello"));
  coho_send(c, coho_text_n("hello", 5));
  coho_send(c, coho_binary(bytes, sizeof bytes));
}

void answered(coho_conn *c, coho_msg m) { coho_send(c, m); }

} // namespace

int main(int argc, char **argv) {
  coho_options options = coho_options();
  options.on_open = opened;
  options.on_message = answered;
  std::printf("coho %s\n", coho_version());
  return argc > 1 ? coho_serve(argv[1], &options) : 0;
}
