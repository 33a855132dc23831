import { pbkdf2Sync } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import kafkajs from 'kafkajs';
import { type Stack, startStack } from 'factline/stack';
import { brokerFactory } from './client.js';
import { Session } from './session.js';
import { Reader, Writer } from './wire.js';

const USER = 'app';
const SCRAM_SHA_256 = 1;
const ITERATIONS = 4_096;
const { AclOperationTypes: Operation, AclPermissionTypes: Permission, AclResourceTypes: Resource, ResourcePatternTypes: Pattern } = kafkajs;

/** A broker with a second listener that asks for a password (SCRAM-SHA-256) and looks into access lists; over the first one everything is allowed. */
export class SecuredBroker {
  private constructor(
    private readonly stack: Stack,
    /** Where clients with a password go. */
    readonly address: string,
  ) {}

  static async start(): Promise<SecuredBroker> {
    const [clients, replication, controller, secured] = (await freePorts(4)) as [number, number, number, number];
    const at = (name: string, port: number) => `${name}://127.0.0.1:${port}`;
    const stack = await startStack({
      from: 'packages',
      ports: { kafka: [clients] },
      kafka: {
        listeners: [at('CLIENTS', clients), at('REPLICATION', replication), at('CONTROLLER', controller), at('SECURED', secured)].join(','),
        'advertised.listeners': [at('CLIENTS', clients), at('REPLICATION', replication), at('SECURED', secured)].join(','),
        'controller.quorum.voters': `1@127.0.0.1:${controller}`,
        'listener.security.protocol.map': 'CLIENTS:PLAINTEXT,REPLICATION:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_PLAINTEXT',
        'listener.name.secured.sasl.enabled.mechanisms': 'SCRAM-SHA-256',
        'listener.name.secured.scram-sha-256.sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS',
      },
    });
    return new SecuredBroker(stack, `127.0.0.1:${secured}`);
  }

  /** Where nobody is asked who he is. */
  get open(): readonly string[] {
    return this.stack.kafka;
  }

  stop(): Promise<void> {
    return this.stack.stop();
  }

  sasl(password: string): object {
    return { mechanism: 'scram-sha-256', username: USER, password };
  }

  /** AlterUserScramCredentials, version 0 (KIP-554): the password is salted here, the broker never sees it. */
  async setPassword(password: string): Promise<void> {
    const salt = Buffer.from('sixteen bytes ..');
    const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
    const body = new Writer().unsignedVarint(0).unsignedVarint(1).unsignedVarint(2).compactString(USER).int8(SCRAM_SHA_256).int32(ITERATIONS);
    for (const bytes of [salt, salted]) body.unsignedVarint(bytes.length + 1).bytes(bytes);
    body.unsignedVarint(0).unsignedVarint(0);
    const session = new Session(brokerFactory({ brokers: this.open, clientId: 'secured' }), this.open);
    const { controller } = await session.look([]);
    const codes = await session.ask(controller, { api: 51, version: 0, name: 'AlterUserScramCredentials', body: body.buffer, read: readCodes });
    session.close();
    if (codes.some((code) => code !== 0)) throw new Error(`the broker did not take the password: ${codes.join()}`);
  }

  /** Lets the user do these things to topics and groups of any name. */
  async allow(what: 'read' | 'write' | 'join'): Promise<void> {
    await this.#admin((admin) => admin.createAcls({ acl: entries(what).map((entry) => ({ ...entry, resourceName: '*', principal: `User:${USER}`, host: '*', permissionType: Permission.ALLOW, resourcePatternType: Pattern.LITERAL })) }));
  }

  async forbid(what: 'read' | 'write' | 'join'): Promise<void> {
    for (const entry of entries(what)) {
      await this.#admin((admin) => admin.deleteAcls({ filters: [{ ...entry, resourceName: '*', principal: `User:${USER}`, host: '*', permissionType: Permission.ALLOW, resourcePatternType: Pattern.LITERAL }] }));
    }
  }

  async #admin(work: (admin: kafkajs.Admin) => Promise<unknown>): Promise<void> {
    const admin = new kafkajs.Kafka({ brokers: [...this.open], clientId: 'secured', logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    await work(admin);
    await admin.disconnect();
  }
}

function entries(what: 'read' | 'write' | 'join') {
  if (what === 'join') return [{ resourceType: Resource.GROUP, operation: Operation.READ }];
  return [{ resourceType: Resource.TOPIC, operation: what === 'read' ? Operation.READ : Operation.WRITE }];
}

function readCodes(payload: Buffer): number[] {
  const from = new Reader(payload);
  from.skipTags();
  from.int32(); // throttle time
  return from.compactArray(() => {
    from.compactString(); // user
    const code = from.int16();
    from.compactString(); // message
    from.skipTags();
    return code;
  });
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
