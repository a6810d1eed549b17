#include "commands.hpp"

namespace millrace::inline v0::cli {
namespace {

constexpr const char* whole_story =
    R"(millrace - Kafka as a library: topics in a directory, from the command line

Usage: millrace [--data DIR | --bootstrap HOST:PORT] COMMAND [options]

  --data DIR           the data directory; or set the environment variable MILLRACE_DATA
  --bootstrap HOST:PORT
                       a broker that runs, ours or any that speaks Kafka's protocol, instead of a
                       directory: for topic, produce, consume, group and txn; several with commas
  --help, --version    after a COMMAND, --help tells all about it

TOPICS
  topic create NAME    make a topic, and the data directory if there is none
      --partitions N       how many partitions (1)
      --config NAME=VALUE  a setting, with Kafka's name; may be repeated
      --if-not-exists      no error if the topic is there
  topic list           all topics                                       [--json]
  topic describe NAME  partitions with offsets and bytes, all settings  [--json]
  topic alter NAME     change settings with --config NAME=VALUE (empty: reset to the default),
                       or raise the number of partitions with --partitions N
  topic delete NAME... delete topics with all their records

RECORDS
  produce TOPIC        append standard input, a record a line
      --key-separator TEXT     what ends the key at the front of a line, for example '\t'
      --record-separator TEXT  what ends a record ('\n')
      --null-value TEXT        a value that is exactly this is null: deletes its key
      --headers K=V,...        headers for every record; --header K=V for one with commas
      --partition N            where to, whatever the key
      --config NAME=VALUE      batch.size, linger.ms, buffer.memory, compression.type, partitioner,
                               enable.idempotence, transaction.timeout.ms
      --report                 print "partition offset" for each record when it is acknowledged;
                               of a transaction, when it is committed
      --idempotent true|false  whether a batch handed in twice is stored once (true)
      --transactional-id ID    all in one transaction, committed at the end of the input, aborted
                               by an error or Ctrl-C
      --transaction-records N  ... in one for every N records
  consume TOPIC        print records, then wait for more until Ctrl-C
      --from-beginning         start at the oldest record kept (the default)
      --offset N               ... at this offset, or with -N so many before the end
      --from-time TIME         ... at 2026-11-20T10:00:00Z, milliseconds since 1970, now, or -5m
      --end                    ... at the end
      --partition N            only this one; may be repeated
      --max-records N          stop after so many
      --exit-at-end            stop after the last record there is
      --follow                 wait for more at the end (the default)
      --format TEXT            tokens %t topic, %p partition, %o offset, %k key, %s value,
                               %T timestamp, %h headers, %K %S lengths; escapes ('%s\n')
      --null-value TEXT        what %k and %s print for null
      --json                   one JSON object a line
      --skip-damaged           read on behind damaged records
      --isolation LEVEL        read_uncommitted also shows records of transactions that are open or
                               aborted; read_committed, the default, does not

      --group NAME             share TOPIC with the other members of a consumer group, go on where
                               it committed, commit what was printed; --instance-id ID,
                               --assignor NAME,..., --offset-reset WHERE

GROUPS
  group list           all consumer groups                              [--json]
  group describe NAME  what it committed, how far behind, who reads     [--json]
      --watch                  look again until Ctrl-C, every --interval N seconds (1)
  group reset NAME     set what it committed to other offsets, while it has no members
      --topic NAME[:N,N]       of this topic, or some of its partitions; may be repeated
      --all-topics             of all that it has committed for
      --to-earliest, --to-latest, --to-current, --to-offset N, --shift-by N,
      --to-datetime TIME, --by-duration DURATION
      --execute                do it; without, the new offsets are only shown (--dry-run)
  group delete NAME... delete groups with all that they committed

KAFKA CLIENTS
  serve                let Kafka clients in until Ctrl-C or SIGTERM
      --config FILE            settings by the names of Kafka's server.properties; what stands on
                               the command line holds before them
      --listen HOST:PORT       where (127.0.0.1:9092); port 0 is any that is free
      --advertise HOST         what clients are told to connect to; else where they came in
      --tls-cert FILE, --tls-key FILE, --tls-client-ca FILE
                               encrypt; with the last one, clients must show a certificate
      --metrics HOST:PORT      GET /metrics there for Prometheus
      --no-auto-create         clients do not make topics by asking for them
      --partitions N           of topics that they do make (1)

TRANSACTIONS
  txn list             all transactional ids, with producer, state, since when     [--json]
      --state STATE            only Empty, Ongoing, PrepareCommit, PrepareAbort, CompleteCommit or
                               CompleteAbort; may be repeated
  txn describe ID      the same of one, and where its open transaction begins      [--json]
  txn abort ID         abort what a process that is gone left open; opening the directory for
                       that ends all other open transactions, too, and it says so

FILES, while nobody has them open; DIR may be left out with --data or MILLRACE_DATA
  log verify DIR       read every byte of a data directory, or of one partition's, and say what
                       is wrong: a line a partition, then what was found; changes nothing
      --partition NAME         only this one, like orders-3; may be repeated
      --json                   one JSON object
  log dump DIR         print batches: offsets, position, size, codec, whether the CRC is right
      --partition NAME         only this one; may be repeated
      --offsets FROM:TO        only these, without TO
      --records                their records, too
      --indexes                the entries of the indexes and producer snapshots, too
      --json                   one JSON object a line
  log repair DIR       cut torn tails, take damaged bytes out into files beside, rebuild what
                       is derived; not needed after a crash, opening recovers
      --partition NAME         only this one; may be repeated
      --dry-run                say what would be done

MEASURING
  bench                measure this machine's limits and the engine in turn, and compare
      --rounds N               medians over so many rounds count (5)
      --quick                  short rows and less data
      --only REGEX             only blocks of rows that match
      --json                   one JSON object
  bench rows           one round, as lines "millrace/row/size value unit"

WHO MAY DO WHAT
  produce, topic create, alter, delete, consume --group, group reset --execute, group delete and
  txn abort own the directory while they run: one process at a time, a program that has the
  library open included. With --bootstrap they ask the broker that owns it;
  so do produce and consume --group with --data, if the owner is a `serve` or lets others in by
  Broker::listen(). consume, list and describe of topic, group and txn only read, and may run
  at any time beside it. log verify, dump and repair want the directory for themselves.
  Whoever becomes the owner aborts the transactions that were open: who began them is gone.
  A record is acknowledged once it is on the disk, unless its topic says otherwise
  (millrace.flush.policy: before_ack, every, by_os).

EXIT CODES
  0 done    1 failed, or log verify or dump found damage: standard error says why and what to do
  2 the command line is wrong

EXAMPLES
  export MILLRACE_DATA=./data
  millrace topic create orders --partitions 4 --config retention.ms=86400000
  printf 'alice\t9.99\nbob\t5.00\n' | millrace produce orders --key-separator '\t'
  millrace consume orders --exit-at-end --format '%p:%o %k bought for %s\n'
  millrace consume orders --from-time -5m --exit-at-end --json | jq .value
  tail -F app.log | millrace produce logs --report >acknowledged
  millrace topic describe orders
  millrace consume orders --group billing --max-records 10 && millrace group describe billing
  millrace serve & millrace --bootstrap 127.0.0.1:9092 topic list
  millrace log verify ./data && millrace log dump ./data --partition orders-0 --records
)";

}  // namespace

void set_main_help(CLI::App& app) {
  app.formatter_fn([](const CLI::App*, std::string, CLI::AppFormatMode) { return whole_story; });
}

}  // namespace millrace::inline v0::cli
