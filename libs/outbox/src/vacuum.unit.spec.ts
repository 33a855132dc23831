import { WRAPAROUND_TRANSACTIONS } from './limits.js';
import { wraparoundFindings } from './vacuum.js';

it('E10: transaction ids that are not frozen are told long before the server stops taking writes, and not while autovacuum keeps up', () => {
  expect(wraparoundFindings(WRAPAROUND_TRANSACTIONS)).toMatchObject([{ code: 'outbox.wraparound', severity: 'problem', details: { age: WRAPAROUND_TRANSACTIONS } }]);
  expect(wraparoundFindings(WRAPAROUND_TRANSACTIONS - 1)).toEqual([]);
});
