// Sarama, as one of the clients of mixed_test.sh.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/Shopify/sarama"
)

var codecs = []sarama.CompressionCodec{sarama.CompressionNone, sarama.CompressionGZIP,
	sarama.CompressionSnappy, sarama.CompressionLZ4, sarama.CompressionZSTD}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func settings() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.V2_1_0_0
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.CommitInterval = 100 * time.Millisecond
	config.Consumer.Group.Session.Timeout = 6 * time.Second
	config.Consumer.Group.Heartbeat.Interval = 200 * time.Millisecond
	return config
}

func produce(address string) {
	for _, codec := range codecs {
		config := settings()
		config.Producer.Compression = codec
		producer, err := sarama.NewSyncProducer([]string{address}, config)
		must(err)
		key := sarama.StringEncoder("sarama-" + codec.String())
		headers := []sarama.RecordHeader{{Key: []byte("h"), Value: []byte(codec.String())},
			{Key: []byte("empty"), Value: []byte{}}}
		topic := "sarama-rest"
		if codec == sarama.CompressionNone || codec == sarama.CompressionGZIP {
			topic = "sarama-plain"
		}
		value := sarama.StringEncoder(strings.Repeat(codec.String()[:1], 500))
		for _, record := range []*sarama.ProducerMessage{
			{Topic: topic, Key: key, Value: value, Headers: headers},
			{Topic: topic, Key: key},
			{Topic: topic, Value: sarama.StringEncoder("no key")},
		} {
			_, _, err := producer.SendMessage(record)
			must(err)
		}
		must(producer.Close())
	}
}

func text(part []byte) string {
	if part == nil {
		return "-1:"
	}
	return fmt.Sprintf("%d:%s", len(part), part)
}

func consume(address, topic string, count int) {
	consumer, err := sarama.NewConsumer([]string{address}, settings())
	must(err)
	partition, err := consumer.ConsumePartition(topic, 0, sarama.OffsetOldest)
	must(err)
	for ; count > 0; count-- {
		record := <-partition.Messages()
		headers := []string{}
		for _, header := range record.Headers {
			headers = append(headers, fmt.Sprintf("%s=%s", header.Key, header.Value))
		}
		line := text(record.Key) + " " + text(record.Value) + " " + strings.Join(headers, ",")
		fmt.Println(strings.TrimRight(line, " "))
	}
	must(consumer.Close())
}

type member struct{}

func (member) Setup(session sarama.ConsumerGroupSession) error {
	count := 0
	for _, partitions := range session.Claims() {
		count += len(partitions)
	}
	fmt.Println("assigned", count)
	return nil
}

func (member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (member) ConsumeClaim(session sarama.ConsumerGroupSession,
	claim sarama.ConsumerGroupClaim) error {
	for record := range claim.Messages() {
		fmt.Println("read", string(record.Value))
		session.MarkMessage(record, "")
	}
	return nil
}

func join(address, name, topic string) {
	group, err := sarama.NewConsumerGroup([]string{address}, name, settings())
	must(err)
	ctx, cancel := context.WithCancel(context.Background())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() {
		<-stop
		cancel()
	}()
	for ctx.Err() == nil {
		must(group.Consume(ctx, []string{topic}, member{}))
	}
	must(group.Close())
}

func main() {
	words := os.Args[1:]
	switch words[0] {
	case "produce":
		produce(words[1])
	case "consume":
		count, err := strconv.Atoi(words[3])
		must(err)
		consume(words[1], words[2], count)
	case "join":
		join(words[1], words[2], words[3])
	}
}
