import { type Stack, startStack, stackEnvironment } from 'factline/stack';
import { type World, until, world } from 'factline/testing';
import { needing, slow } from '../support/fault-rows.js';
import { Flow } from '../support/flow.js';
import { withoutMounts } from '../support/machine.js';
import { type SmallLogDir, logDirOnSmallDisk } from '../support/small-log-dir.js';

/** The disk of one of three brokers is filled here, so this row has a stack of its own. */
const STACK_STARTS_WITHIN = 180_000;
const ROW_ENDS_WITHIN = 240_000;
const LOG_DIR_BYTES = 96 * 1_024 * 1_024;
const BROKER_GIVES_UP_WITHIN = 60_000;

let stack: Stack | undefined;
let at: World | undefined;
let flow: Flow | undefined;
let disk: SmallLogDir | undefined;

afterAll(async () => {
  await flow?.close();
  await at?.close();
  await stack?.parts?.brokers[1]?.kill('SIGKILL');
  disk?.remove();
  await stack?.stop();
}, STACK_STARTS_WITHIN);

const row = withoutMounts ? needing(withoutMounts) : slow;

row('B7: a broker whose disk is full ends, the others serve on without loss, and it catches up when there is space', async () => {
  stack = await startStack({ from: 'packages', brokers: 3 });
  at = await world({ ...stackEnvironment(stack) });
  const broker = stack.parts!.brokers[1]!;
  const small = (disk = await logDirOnSmallDisk(broker, LOG_DIR_BYTES));
  const running = (flow = await Flow.open(at, 'full'));
  await running.ledger.wave();
  await running.right();
  await running.whileWriting(async () => {
    small.fill();
    await until('the broker to have given up', () => broker.pid === undefined, BROKER_GIVES_UP_WITHIN);
    await running.goesOn();
    small.free();
    await broker.start();
    await running.goesOn();
  });
  expect(small.said()).toMatch(/No space left on device/); // the control: it was the disk that ended it
  for (const each of [stack.parts!.brokers[0]!, stack.parts!.brokers[2]!]) expect(each.pid).toBeDefined();
  await running.right();
}, STACK_STARTS_WITHIN + ROW_ENDS_WITHIN);
