/** The broker addresses that integration specs need. A missing stack is a failure and not a skip: a skipped proof proves nothing. */
export function testBrokers(env: Readonly<Record<string, string | undefined>>): string[] {
  const brokers = env['FACTLINE_KAFKA'];
  if (!brokers) throw new Error('FACTLINE_KAFKA is not set: start the stack and give the broker addresses (host:port, comma-separated).');
  return brokers.split(',');
}
