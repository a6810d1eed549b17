#include <algorithm>

#include "transaction_model.hpp"

namespace millrace_test {

using namespace millrace;
using storage::AppendOrigin;

Result<void> ModelLog::append(Bytes batch, AppendOrigin origin) {
  auto view = record::BatchView::try_parse(batch);
  if (view.producer().id >= 0) {
    MILLRACE_TRY(const auto duplicate, state_.check(view, origin));
    if (duplicate) return {};
  }
  record::stamp_batch(batch, end_, LeaderEpoch{0});
  if (view.producer().id >= 0) {
    if (const auto aborted = state_.apply(view)) aborted_.push_back(*aborted);
  }
  end_ = view.next_offset();
  batches_.push_back(std::move(batch));
  return {};
}

void ModelLog::sync() {
  sync_to(batches_.size());
}

void ModelLog::sync_to(std::size_t end) {
  durable_ = std::max(durable_, end);
  state_.advance(durable_ == 0 ? Offset{0} : at(durable_ - 1).next_offset());
}

void ModelLog::cut(std::size_t size) {
  auto kept = std::exchange(batches_, {});
  kept.resize(size);
  const std::size_t durable = durable_;
  *this = ModelLog();
  for (auto& batch : kept) {
    const auto view = record::BatchView::try_parse(batch);
    if (view.producer().id >= 0) {
      if (const auto aborted = state_.apply(view)) aborted_.push_back(*aborted);
    }
    end_ = view.next_offset();
    batches_.push_back(std::move(batch));
  }
  sync_to(std::max(durable, size));  // opening makes durable what it found
}

record::BatchView ModelLog::at(std::size_t index) const {
  return record::BatchView::try_parse(batches_[index]);
}

std::size_t ModelLog::stable_size() const {
  const auto unstable = state_.first_unstable_offset();
  std::size_t size = durable_;
  while (unstable && size > 0 && at(size - 1).base_offset() >= *unstable) --size;
  return size;
}

bool ModelLog::is_aborted(std::size_t index) const {
  const auto batch = at(index);
  return std::any_of(aborted_.begin(), aborted_.end(), [&](const auto& one) {
    return one.producer_id == batch.producer().id && one.first_offset <= batch.base_offset() &&
           batch.base_offset() < one.last_offset;
  });
}

}  // namespace millrace_test
