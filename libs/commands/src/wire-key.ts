/**
 * The key of a record in a queue: the sending app, then the business key. Each app numbers the commands it sends by itself, so two apps that send for one business key
 * must not share a key of the log, or every second number would come twice. An app's name has no slash.
 */
export function wireKey(sender: string, key: string): string {
  return `${sender}/${key}`;
}

/** What `wireKey` put together; a record that something else wrote has no sender. */
export function openWireKey(wire: string): { sender: string; key: string } {
  const slash = wire.indexOf('/');
  return slash < 0 ? { sender: '', key: wire } : { sender: wire.slice(0, slash), key: wire.slice(slash + 1) };
}
