#error "the expected reason"
