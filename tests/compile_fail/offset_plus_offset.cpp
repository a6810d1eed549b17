#include <millrace/core/offset.hpp>

#if defined(MUST_NOT_COMPILE)
auto sum = millrace::Offset{1} + millrace::Offset{2};
#else
auto count = millrace::Offset{3} - millrace::Offset{2};
#endif
