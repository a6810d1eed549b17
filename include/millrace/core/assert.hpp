#pragma once
#include <cstdio>
#include <cstdlib>

/// Checks an invariant of our own code; never used on bytes that came from a disk or a wire.
/// Active unless MILLRACE_NO_ASSERTS is defined (the release preset defines it).
#if defined(MILLRACE_NO_ASSERTS)
#define MILLRACE_ASSERT(condition) static_cast<void>(sizeof(!(condition)))
#else
#define MILLRACE_ASSERT(condition)                                                               \
  (static_cast<bool>(condition)                                                                  \
       ? static_cast<void>(0)                                                                    \
       : (std::fprintf(stderr, "%s:%d: invariant broken: %s\n", __FILE__, __LINE__, #condition), \
          std::abort()))
#endif
