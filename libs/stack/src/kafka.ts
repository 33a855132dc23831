import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FactlineError } from 'factline/kernel';
import { type Package, installed } from './cache.js';
import type { Environment } from './env.js';
import { type Java, maven } from './java.js';
import { BROKER_HEARTBEAT_MS, BROKER_SESSION_MS, KAFKA_HEAP_MB } from './limits.js';
import { run } from './processes.js';
import type { ProgressListener } from './progress.js';
import type { Launch } from './record.js';

const KAFKA_VERSION = '4.3.1';
const LOG4J_VERSION = '2.25.3';
/** Any id does; a fixed one lets the three brokers be formatted apart. */
const CLUSTER_ID = 'RmFjdGxpbmVTdGFja0lkcw';

/** Kafka is published without a logging backend; slf4j-api resolves to 1.7, so the binding is log4j-slf4j-impl. */
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>factline</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>${LOG4J_VERSION}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>${LOG4J_VERSION}</version></dependency>
  </dependencies>
</project>
`;

const LOGGING = `rootLogger.level=WARN
rootLogger.appenderRef.out.ref=OUT
appender.out.type=Console
appender.out.name=OUT
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %c{1}: %m%n
`;

export interface BrokerPorts {
  readonly clients: number;
  readonly replication: number;
  readonly controller: number;
}

export interface KafkaSetup {
  readonly env: Environment;
  readonly java: Java;
  readonly cache: string;
  readonly folder: string;
  readonly brokers: readonly BrokerPorts[];
  /** What clients are told to connect to, a broker each: a fault proxy's address, for example. */
  readonly advertised?: readonly string[] | undefined;
  readonly properties: Readonly<Record<string, string>>;
  readonly listener: ProgressListener;
}

/** Downloads Apache Kafka once and formats the brokers' folders (KRaft, each broker also a controller). */
export async function prepareKafka(setup: KafkaSetup): Promise<Launch[]> {
  const home = await installed(setup.cache, kafkaPackage(setup), setup.listener);
  const logging = join(setup.folder, 'log4j2.properties');
  await writeFile(logging, LOGGING);
  const java = ['-XX:+UseSerialGC', `-Dlog4j2.configurationFile=${logging}`, '-cp', join(home, '*')];
  return await Promise.all(
    setup.brokers.map(async (ports, index) => {
      const node = index + 1;
      const properties = join(setup.folder, `kafka-${node}.properties`);
      await writeFile(properties, brokerProperties(setup, node));
      await format(setup, ['-XX:TieredStopAtLevel=1', ...java, 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', properties]);
      return {
        kind: 'kafka',
        name: `kafka-${node}`,
        file: setup.java.file,
        args: [`-Xmx${KAFKA_HEAP_MB}m`, ...java, 'kafka.Kafka', properties],
        cwd: setup.folder,
        env: { LANG: 'C.UTF-8' },
        log: join(setup.folder, `kafka-${node}.log`),
        address: `127.0.0.1:${ports.clients}`,
      } satisfies Launch;
    }),
  );
}

/** Replication has a listener of its own, so that brokers find each other also when clients are sent through a proxy. */
export function brokerProperties(setup: Pick<KafkaSetup, 'folder' | 'brokers' | 'advertised' | 'properties'>, node: number): string {
  const own = setup.brokers[node - 1]!;
  const replicas = String(setup.brokers.length);
  const inSync = setup.brokers.length > 1 ? '2' : '1';
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': String(node),
    listeners: `CLIENTS://127.0.0.1:${own.clients},REPLICATION://127.0.0.1:${own.replication},CONTROLLER://127.0.0.1:${own.controller}`,
    'advertised.listeners': `CLIENTS://${setup.advertised?.[node - 1] ?? `127.0.0.1:${own.clients}`},REPLICATION://127.0.0.1:${own.replication}`,
    'listener.security.protocol.map': 'CLIENTS:PLAINTEXT,REPLICATION:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'REPLICATION',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.voters': setup.brokers.map((each, index) => `${index + 1}@127.0.0.1:${each.controller}`).join(','),
    'log.dirs': join(setup.folder, `kafka-${node}-data`),
    'auto.create.topics.enable': 'false',
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'group.initial.rebalance.delay.ms': '0',
    'broker.session.timeout.ms': String(BROKER_SESSION_MS),
    'broker.heartbeat.interval.ms': String(BROKER_HEARTBEAT_MS),
    'log.message.timestamp.type': 'LogAppendTime',
    ...setup.properties,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

async function format(setup: KafkaSetup, args: string[]): Promise<void> {
  const answer = await run(setup.java.file, args, { cwd: setup.folder });
  if (answer.ok) return;
  throw new FactlineError({
    code: 'stack.part-failed',
    kind: 'unavailable',
    message: `Kafka's folder could not be formatted: ${answer.output.trim()}`,
    advice: 'Check the Kafka properties given to the stack and the free space of the disk.',
  });
}

function kafkaPackage({ env, java }: KafkaSetup): Package {
  return {
    name: `kafka-${KAFKA_VERSION}`,
    title: `Apache Kafka ${KAFKA_VERSION}`,
    aboutMb: 58,
    async fill(target, scratch) {
      await writeFile(join(scratch, 'pom.xml'), POM);
      await maven(env, java, scratch, join(scratch, 'repository'), [
        'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies',
        `-DoutputDirectory=${target}`,
        `-DincludeScope=runtime`,
      ]);
    },
  };
}
