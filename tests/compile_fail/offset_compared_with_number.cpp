#include <millrace/core/offset.hpp>

#if defined(MUST_NOT_COMPILE)
bool less = millrace::Offset{1} < 2;
#else
bool less = millrace::Offset{1} < millrace::Offset{2};
#endif
