import { appFaults, camel, entityFaults, entityOf, factFaults, fieldFaults, kebab, partsOfFact, pascal, portFaults, projectionFaults, sentence, snake, sqlName, upper } from './names.js';

const rules = { app: appFaults, fact: factFaults, field: fieldFaults, entity: entityFaults, projection: projectionFaults, port: portFaults };

it.each([
  ['app', ['hr', 'gift-cards', 'w0a1', 'a'.repeat(40)], ['', 'Hr', 'gift_cards', 'gift--cards', '-hr', 'hr-', '1hr', 'hr/x', '../hr', 'a'.repeat(41)]],
  ['fact', ['hr.EmployeePromoted', 'shop.sales.OrderPlaced', 'giftCards.CardSold'], ['EmployeePromoted', 'hr.employeePromoted', 'hr.', 'Hr.EmployeePromoted', 'hr.Employee-Promoted', 'hr..EmployeePromoted', "hr.X'; drop"]],
  ['field', ['orderId', 'a', 'iso3166Code'], ['', 'order_id', 'OrderId', 'order id', 'meta', '2nd', 'order-id']],
  ['entity', ['employee', 'gift-card', 'gift_card'], ['', 'Employee', 'gift card', '../x', 'a/b', '-a']],
  ['projection', ['payees', 'paid_orders', 'a'.repeat(40)], ['', 'Payees', 'paid-orders', 'paid__orders', '_x', 'a'.repeat(41), 'public', 'factline', 'pg_x', 'order', 'user', 'new', 'class']],
  ['port', ['1', '3001', '65535'], ['0', '65536', '-1', '30.5', 'http', '']],
] as const)('a name of kind %s is taken, or refused with the rule', (kind, good, bad) => {
  expect(good.flatMap((name) => rules[kind](name))).toEqual([]);
  for (const name of bad) expect(`${name}: ${rules[kind](name).length}`).toBe(`${name}: 1`);
});

it('makes each form of a name from any other', () => {
  for (const name of ['gift-cards', 'gift_cards', 'giftCards', 'GiftCards']) {
    expect([pascal(name), camel(name), kebab(name), snake(name), upper(name), sentence(name)]).toEqual(['GiftCards', 'giftCards', 'gift-cards', 'gift_cards', 'GIFT_CARDS', 'Gift cards']);
  }
  expect([snake('KYCPassed'), snake('line2Total'), pascal('w0a1')]).toEqual(['kyc_passed', 'line2_total', 'W0a1']);
});

it('tells the entity from its key, and says so when it cannot', () => {
  expect(['orderId', 'giftCardNumber', 'countryCode'].map(entityOf)).toEqual(['order', 'gift-card', 'country']);
  expect(['id', 'order', 'Id', 'isbn'].map(entityOf)).toEqual([undefined, undefined, undefined, undefined]);
});

it('takes a fact apart at its last dot', () => {
  expect(partsOfFact('shop.sales.OrderPlaced')).toEqual({ context: 'shop.sales', simple: 'OrderPlaced' });
});

it('quotes a column that is a word of SQL, and no other', () => {
  expect(['user', 'order', 'name'].map(sqlName)).toEqual(['"user"', '"order"', 'name']);
});
