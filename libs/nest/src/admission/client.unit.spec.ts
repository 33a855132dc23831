import type { HttpRequest } from '../http/exchange.js';
import { clientOf, networkOf } from './client.js';

const from = (parts: object) => clientOf(parts as HttpRequest);

it.each([
  [{ user: 'ada', ip: '192.0.2.1' }, 'subject ada'],
  [{ user: { sub: 'ada', id: 7 }, ip: '192.0.2.1' }, 'subject ada'],
  [{ user: { id: 7 }, ip: '192.0.2.1' }, 'subject 7'],
  [{ user: { roles: [] }, ip: '192.0.2.1' }, 'address 192.0.2.1'],
  [{ user: null, ip: '192.0.2.1' }, 'address 192.0.2.1'],
  [{}, undefined],
])('%j asks as %s', (request, client) => {
  expect(from(request)).toBe(client);
});

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('the address %s is of %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
