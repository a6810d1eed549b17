'use strict';
// kafkajs, as one of the clients of mixed_test.sh.
const { CompressionTypes, Kafka, logLevel } = require('kafkajs');

const [what, address, topic, count] = process.argv.slice(2);
const kafka = new Kafka({ brokers: [address], clientId: 'kafkajs', logLevel: logLevel.ERROR });

async function produce() {
  const producer = kafka.producer();
  await producer.connect();
  for (const [codec, compression] of [
    ['none', CompressionTypes.None],
    ['gzip', CompressionTypes.GZIP],
  ]) {
    const key = `kafkajs-${codec}`;
    for (const message of [
      { key, value: codec[0].repeat(500), headers: { h: codec, empty: '' } },
      { key, value: null },
      { key: null, value: 'no key' },
    ]) {
      await producer.send({ topic: 'kafkajs-plain', compression, messages: [message] });
    }
  }
  await producer.disconnect();
}

const text = (bytes) => (bytes === null ? '-1:' : `${bytes.length}:${bytes}`);

async function consume() {
  const consumer = kafka.consumer({ groupId: `reader of ${topic}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  let left = Number(count);
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    consumer.run({
      eachMessage: async ({ message }) => {
        const headers = Object.entries(message.headers).map(([name, part]) => `${name}=${part}`);
        console.log(`${text(message.key)} ${text(message.value)} ${headers}`.trimEnd());
        if (--left === 0) resolve();
      },
    });
  });
  await consumer.disconnect();
}

(what === 'produce' ? produce() : consume()).catch((error) => {
  console.error(error);
  process.exit(1);
});
