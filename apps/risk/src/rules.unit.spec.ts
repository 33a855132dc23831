import { type Behaviour, type JudgedOrder, rule1, rule2 } from './rules.js';

const behaviour: Behaviour = { orders: 5, cancelled: 0, refused: 0, cardCountries: 1 };
const order: JudgedOrder = { totalCents: 5_000, refused: false };

it('finds nothing unusual about an ordinary order', () => {
  for (const { judge } of [rule1, rule2]) expect(judge(behaviour, order)).toEqual([]);
});

it.each<[string, Partial<Behaviour>, Partial<JudgedOrder>, string[]]>([
  ['a first order of a thousand', { orders: 1 }, { totalCents: 100_000 }, ['LARGE_FIRST_ORDER']],
  ['a first order of a cent less', { orders: 1 }, { totalCents: 99_999 }, []],
  ['a second order of a thousand', { orders: 2 }, { totalCents: 100_000 }, []],
  ['two cancellations', { cancelled: 2 }, {}, []],
  ['three cancellations', { cancelled: 3 }, {}, ['MANY_CANCELLATIONS']],
  ['more than there is', {}, { refused: true }, ['MORE_THAN_THERE_IS']],
  ['all at once', { orders: 1, cancelled: 3 }, { totalCents: 100_000, refused: true }, ['LARGE_FIRST_ORDER', 'MANY_CANCELLATIONS', 'MORE_THAN_THERE_IS']],
])('judges %s', (_what, changes, changed, reasons) => {
  for (const { judge } of [rule1, rule2]) expect(judge({ ...behaviour, ...changes }, { ...order, ...changed })).toEqual(reasons);
});

it('asks for the countries of cards from version 2 on', () => {
  const travelling = { ...behaviour, cardCountries: 3 };
  expect([rule1.judge(travelling, order), rule2.judge(travelling, order), rule2.judge({ ...behaviour, cardCountries: 2 }, order)]).toEqual([[], ['CARDS_OF_MANY_COUNTRIES'], []]);
});
