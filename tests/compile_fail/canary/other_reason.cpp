#if defined(MUST_NOT_COMPILE)
#error "quite another reason"
#endif
