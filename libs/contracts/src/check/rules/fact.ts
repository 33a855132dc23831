import type { Rule } from './rule.js';

/** Fact types and topics as wholes. */
export const FACT_RULES = {
  'fact-removed': {
    severity: 'error',
    says: 'A fact type is not declared any more.',
    why: 'Its facts stay on the topic, and consumers that rebuild from offset zero need its schema.',
    before: 'schemas/shop/orders/OrderPlaced.avsc',
    after: '(gone)',
    instead: 'Keep the file; stop stating the fact.',
  },
  'produces-unknown': {
    severity: 'error',
    says: 'An app says that it produces a fact that is not declared.',
    why: 'Its types cannot be generated, and it would not start.',
    before: 'produces: [shop.OrderPlacd]',
    after: '',
    instead: 'Correct the name, or declare the fact first.',
  },
  'produces-foreign': {
    severity: 'error',
    says: 'An app says that it produces a fact on a topic that another app owns.',
    why: 'Two producers of one key would number its facts twice; each topic has one.',
    before: 'owner: shop (topic.yaml)',
    after: 'produces: [shop.OrderPlaced] (apps/mailer/contracts.yaml)',
    instead: 'State a fact of its own, or change the owner of the topic.',
  },
  'fact-added': {
    severity: 'info',
    says: 'A fact type is new.',
    why: 'There is nothing yet that it could break.',
    before: '',
    after: 'schemas/shop/orders/OrderPlaced.avsc',
    instead: '',
  },
  'key-changed': {
    severity: 'error',
    says: 'The key field, the number of partitions or the topic of a fact changed.',
    why: 'Facts of one entity would lie in several partitions or topics, and their order would be lost.',
    before: 'keyField: orderId',
    after: 'keyField: customerId',
    instead: 'Declare a new topic, state the facts there too, and let consumers move.',
  },
} as const satisfies Record<string, Rule>;
