import kafkajs from 'kafkajs';

/**
 * Cuts one partition off for its readers and for nothing else: a transaction is left open on it, and who reads committed records waits for its end. What is written meanwhile lies behind it.
 * @returns what ends it; nobody ever sees its record.
 */
export async function holdPartition(brokers: readonly string[], topic: string, partition: number): Promise<() => Promise<void>> {
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], clientId: 'holder', logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({ transactionalId: `${topic}.${partition}.${Math.random().toString(36).slice(2)}`, maxInFlightRequests: 1, idempotent: true, createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages: [{ key: 'nobody', value: 'nothing', partition }] });
  return async () => {
    await transaction.abort();
    await producer.disconnect();
  };
}
