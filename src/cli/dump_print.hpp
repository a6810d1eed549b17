#pragma once
#include <millrace/storage/inspect.hpp>
#include <string>
#include <string_view>

namespace millrace::inline v0::cli {

/// Prints what `millrace log dump` comes upon: lines in the manner of Kafka's dump tool, or JSON.
class DumpPrinter {
 public:
  explicit DumpPrinter(bool json) : json_(json) {}

  /// A head line for each partition and file, when it begins. Text only.
  void file(std::string_view partition, std::string_view file, std::string& out);
  void batch(const record::BatchView& batch, FilePosition position, bool crc_matches,
             std::string& out) const;
  void record(const record::BatchView& batch, const record::RecordView& record,
              std::string& out) const;
  void damage(const storage::DumpItem& item, std::string& out) const;
  void index_entry(const storage::IndexItem& item, std::string& out) const;

 private:
  const bool json_;
  std::string partition_;
  std::string file_;
};

}  // namespace millrace::inline v0::cli
