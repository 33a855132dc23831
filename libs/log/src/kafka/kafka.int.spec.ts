import { kafkaLog } from '../index.js';
import { describeLog } from '../log.suite.spec.support.js';
import { testBrokers } from './test-brokers.spec.support.js';

describeLog('kafka', async () => {
  const brokers = testBrokers(process.env);
  let clients = 0;
  return {
    client: () => kafkaLog({ brokers, clientId: `suite-${clients++}` }),
    rejectedSend: (publisher, topic) => publisher.send(topic, 0, [{ key: Buffer.from('k'), value: Buffer.alloc(2_000_000) }]),
    close: async () => undefined,
  };
});
