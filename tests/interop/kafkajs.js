'use strict';
const assert = require('node:assert');
const { CompressionTypes, Kafka, logLevel, ConfigResourceTypes } = require('kafkajs');

const kafka = new Kafka({
  brokers: [process.argv[2]],
  clientId: 'kafkajs',
  logLevel: logLevel.ERROR,
});
const admin = kafka.admin();

/** Reads topics in a group until there are `count` records. */
async function read(groupId, topics, count, options = {}) {
  const consumer = kafka.consumer({ groupId, ...options });
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  const records = [];
  await new Promise((resolve, reject) => {
    const tooLong = setTimeout(() => reject(new Error(`only ${records.length}`)), 60000);
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    consumer.run({
      eachMessage: async ({ partition, message }) => {
        records.push({ partition, ...message });
        if (records.length !== count) return;
        clearTimeout(tooLong);
        resolve();
      },
    });
  });
  await consumer.disconnect();
  return records;
}

const text = (bytes) => (bytes === null ? null : bytes.toString());

async function administrate() {
  const topic = { topic: 'orders', numPartitions: 2 };
  assert.strictEqual(await admin.createTopics({ topics: [topic] }), true);
  assert.strictEqual(await admin.createTopics({ topics: [topic] }), false);
  await admin.createPartitions({ topicPartitions: [{ topic: 'orders', count: 3 }] });
  const [orders] = (await admin.fetchTopicMetadata({ topics: ['orders'] })).topics;
  assert.strictEqual(orders.partitions.length, 3);
  const resource = { type: ConfigResourceTypes.TOPIC, name: 'orders' };
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '5000' }] }],
  });
  const described = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ ...resource, configNames: ['retention.ms'] }],
  });
  assert.strictEqual(described.resources[0].configEntries[0].configValue, '5000');
  const cluster = await admin.describeCluster();
  assert.deepStrictEqual([cluster.controller, cluster.brokers.length], [0, 1]);
}

async function produceAndRead() {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (const [name, compression] of Object.entries({
    none: CompressionTypes.None,
    gzip: CompressionTypes.GZIP,
  })) {
    const messages = Array.from({ length: 10 }, (_, i) => ({
      key: `${name} ${i}`,
      value: name,
      headers: { h: name, empty: '' },
    }));
    await producer.send({ topic: 'codecs', compression, messages, acks: -1 });
  }
  await producer.send({ topic: 'tombstones', messages: [{ key: 'gone', value: null }] });
  await producer.disconnect();

  const records = await read('team', ['codecs'], 20);
  assert.deepStrictEqual(
    records.map((one) => [text(one.key), text(one.value), text(one.headers.h), one.offset]),
    Array.from({ length: 20 }, (_, i) => {
      const name = i < 10 ? 'none' : 'gzip';
      return [`${name} ${i % 10}`, name, name, `${i}`];
    }));
  assert.strictEqual(text(records[0].headers.empty), '');
  const [tombstone] = await read('team', ['tombstones'], 1);
  assert.deepStrictEqual([text(tombstone.key), text(tombstone.value)], ['gone', null]);
}

async function lookAfterGroups() {
  const { groups } = await admin.listGroups();
  assert.deepStrictEqual(groups, [{ groupId: 'team', protocolType: 'consumer' }]);
  const offsets = async () =>
    (await admin.fetchOffsets({ groupId: 'team', topics: ['codecs'] }))[0].partitions[0].offset;
  assert.strictEqual(await offsets(), '20');
  const partitions = [{ partition: 0, offset: '15' }];
  await admin.setOffsets({ groupId: 'team', topic: 'codecs', partitions });
  assert.strictEqual(await offsets(), '15');
  const again = await read('team', ['codecs'], 5);
  assert.strictEqual(again[0].offset, '15');
  const described = await admin.describeGroups(['team']);
  assert.deepStrictEqual([described.groups[0].state, described.groups[0].errorCode], ['Empty', 0]);
  await admin.deleteGroups(['team']);
  assert.deepStrictEqual((await admin.listGroups()).groups, []);
  const [ends] = await admin.fetchTopicOffsets('codecs');
  assert.deepStrictEqual([ends.low, ends.high], ['0', '20']);
  const [since] = await admin.fetchTopicOffsetsByTimestamp('codecs', 1);
  assert.strictEqual(since.offset, '0');
  await admin.deleteTopicRecords({ topic: 'codecs', partitions: [{ partition: 0, offset: '3' }] });
  assert.strictEqual((await admin.fetchTopicOffsets('codecs'))[0].low, '3');
}

async function runTransactions() {
  const producer = kafka.producer({
    transactionalId: 'billing',
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  const send = async (isCommit, value) => {
    const transaction = await producer.transaction();
    await transaction.send({ topic: 'bills', messages: [{ value }] });
    await transaction.sendOffsets({
      consumerGroupId: 'copier',
      topics: [{ topic: 'codecs', partitions: [{ partition: 0, offset: isCommit ? '7' : '3' }] }],
    });
    await (isCommit ? transaction.commit() : transaction.abort());
  };
  await send(true, 'a');
  await send(false, 'lost');
  await send(true, 'b');
  await producer.disconnect();
  const seen = async (group, readUncommitted, count) =>
    (await read(group, ['bills'], count, { readUncommitted })).map((one) => text(one.value));
  assert.deepStrictEqual(await seen('committed', false, 2), ['a', 'b']);
  assert.deepStrictEqual(await seen('all', true, 3), ['a', 'lost', 'b']);
  const [copied] = await admin.fetchOffsets({ groupId: 'copier', topics: ['codecs'] });
  assert.strictEqual(copied.partitions[0].offset, '7');
}

async function main() {
  await admin.connect();
  await administrate();
  await produceAndRead();
  await lookAfterGroups();
  await runTransactions();
  await admin.deleteTopics({ topics: ['orders'] });
  assert.ok(!(await admin.listTopics()).includes('orders'));
  await admin.disconnect();
}

main().then(
  () => console.log('kafkajs: all passed'),
  (error) => {
    console.error(error);
    process.exit(1);
  });
