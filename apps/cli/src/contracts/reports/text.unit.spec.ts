import { github } from './github.js';
import { json } from './json.js';
import { junit } from './junit.js';
import { markdown } from './markdown.js';
import { EVERYTHING, HOSTILE, finding, resultOf, told } from './report.spec.support.js';
import { sarif } from './sarif.js';
import { text } from './text.js';

describe('text', () => {
  it('says where, what, whom and what to do, and who answers for what is accepted', () => {
    expect(told(text, EVERYTHING)).toMatchInlineSnapshot(`
"schemas/shop/order/OrderPlaced.avsc:14:5  error  field-removed  shop.OrderPlaced.customer.email
  It was string without a default, and is gone. Against git 4f1c2a9 (merge base with origin/main).
  BREAKS    mailer  selects it at apps/mailer/contracts.yaml:6, deployed to prod 4f1c2a9
  DEGRADES  board  selects it at apps/board/contracts.yaml:6, as it was at git 4f1c2a9 (merge base with origin/main)
  safe      audit
  do this   Keep it.

schemas/shop/order/OrderPlaced.avsc:14:5  warning  default-changed  shop.OrderPlaced.lines[].sku
  Its default was "" and is "-". Against git 4f1c2a9 (merge base with origin/main).
  DEGRADES  board  selects it at apps/board/contracts.yaml:6
  safe      mailer
  do this   Keep it.

schemas/shop/order/OrderPaid.avsc:1:1  info  fact-added  shop.OrderPaid
  shop.OrderPaid is new. Against git 4f1c2a9 (merge base with origin/main).

schemas/shop/order/OrderPlaced.avsc:14:5  error  field-removed  shop.OrderPlaced.note
  It was string without a default, and is gone. Against git 4f1c2a9 (merge base with origin/main).
  BREAKS    mailer  selects it at apps/mailer/contracts.yaml:6
  accepted  until 2026-12-31 by lea: nobody reads it

3 fact types against git 4f1c2a9 (merge base with origin/main): 0 new, 1 changed, 0 gone; 1 errors, 1 warnings, 1 accepted
"
`);
  });

  it('is painted on a terminal only', () => {
    expect(told(text, EVERYTHING, { terminal: true })).toContain('\u001b[31;1mBREAKS');
    expect(told(text, EVERYTHING)).not.toContain('\u001b');
  });

  it('names no base where nothing was compared', () => {
    expect(told(text, resultOf(finding({ against: [] })))).not.toContain('Against');
  });
});

describe('github', () => {
  it('makes a command of each finding, accepted ones are notices', () => {
    expect(told(github, EVERYTHING)).toMatchInlineSnapshot(`
"::error file=schemas/shop/order/OrderPlaced.avsc,line=14,col=5,title=field-removed::shop.OrderPlaced.customer.email: It was string without a default, and is gone.%0Amailer BROKEN, board DEGRADED%0AKeep it.
::warning file=schemas/shop/order/OrderPlaced.avsc,line=14,col=5,title=default-changed::shop.OrderPlaced.lines[].sku: Its default was "" and is "-".%0Aboard DEGRADED%0AKeep it.
::notice file=schemas/shop/order/OrderPaid.avsc,line=1,col=1,title=fact-added::shop.OrderPaid: shop.OrderPaid is new.
::notice file=schemas/shop/order/OrderPlaced.avsc,line=14,col=5,title=field-removed::shop.OrderPlaced.note: It was string without a default, and is gone.%0Amailer BROKEN%0AAccepted until 2026-12-31 by lea: nobody reads it
3 fact types against git 4f1c2a9 (merge base with origin/main): 0 new, 1 changed, 0 gone
"
`);
  });

  it('lets no name or message start a command or a property of its own', () => {
    const lines = told(github, resultOf(finding({ fact: HOSTILE, message: HOSTILE, place: { file: `a,line=1:${HOSTILE}`, line: 1, column: 1 } }))).trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^::error file=a%2Cline=1%3A[^:,]+,line=1,col=1,title=field-removed::/);
    expect(lines[0]).toContain('%250A::error::'); // as text, not as the end of a line
    expect(lines[0]).not.toContain('\r');
  });
});

it('tells programs everything, on one line', () => {
  const printed = told(json, EVERYTHING);
  expect(printed.indexOf('\n')).toBe(printed.length - 1);
  expect(JSON.parse(printed)).toEqual({ version: 1, against: 'git 4f1c2a9 (merge base with origin/main)', ...EVERYTHING });
  expect(told(json, EVERYTHING, { json: true })).toBe(printed);
});

it.each(Object.entries({ github, json, junit, markdown, sarif }))('%s says that less was compared than usual', (_name, report) => {
  const reduced = { message: 'The clone is shallow.', advice: 'git fetch --unshallow origin' };
  expect(told(report, { ...EVERYTHING, reduced })).toMatch(/The clone is shallow\.[\s\S]*git fetch --unshallow origin/);
  expect(told(report, EVERYTHING).toLowerCase()).not.toContain('reduced:');
});
