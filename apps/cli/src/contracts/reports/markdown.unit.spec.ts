import { markdown } from './markdown.js';
import { EVERYTHING, HOSTILE, consumer, finding, resultOf, told } from './report.spec.support.js';

const GITHUB_CHARACTERS = 65_536;

it('names on top who breaks, then why; folds what to do and who is safe', () => {
  expect(told(markdown, EVERYTHING)).toMatchInlineSnapshot(`
"<!-- factline contracts check -->
### Contracts: 1 errors, 1 warnings, 1 accepted

- **mailer** breaks: \`shop.OrderPlaced.customer.email\`
- **board** degrades: \`shop.OrderPlaced.customer.email\`, \`shop.OrderPlaced.lines[].sku\`

3 fact types against git 4f1c2a9 (merge base with origin/main): 0 new, 1 changed, 0 gone.

| | rule | what | | who | where |
|---|---|---|---|---|---|
| error | \`field-removed\` | \`shop.OrderPlaced.customer.email\` | It was string without a default, and is gone. | **mailer** BROKEN (apps/mailer/contracts.yaml:6, deployed to prod 4f1c2a9)<br>**board** DEGRADED (apps/board/contracts.yaml:6, as it was at git 4f1c2a9 (merge base with origin/main)) | schemas/shop/order/OrderPlaced.avsc:14 |
| warning | \`default-changed\` | \`shop.OrderPlaced.lines[].sku\` | Its default was "" and is "-". | **board** DEGRADED (apps/board/contracts.yaml:6) | schemas/shop/order/OrderPlaced.avsc:14 |
| info | \`fact-added\` | \`shop.OrderPaid\` | shop.OrderPaid is new. | no declared consumer | schemas/shop/order/OrderPaid.avsc:1 |
| accepted | \`field-removed\` | \`shop.OrderPlaced.note\` | It was string without a default, and is gone. Accepted until 2026-12-31 by lea: nobody reads it | **mailer** BROKEN (apps/mailer/contracts.yaml:6) | schemas/shop/order/OrderPlaced.avsc:14 |

<details><summary>What to do</summary>

- \`field-removed\`: Keep it.
- \`default-changed\`: Keep it.

</details>

<details><summary>Safe apps: 1</summary>

- audit

</details>
"
`);
});

it('says that nothing breaks, without a table', () => {
  expect(told(markdown, resultOf())).toMatchInlineSnapshot(`
"<!-- factline contracts check -->
### Contracts: nothing breaks

3 fact types against git 4f1c2a9 (merge base with origin/main): 0 new, 1 changed, 0 gone.
"
`);
});

describe('names and messages', () => {
  const comment = told(markdown, resultOf(finding({ fact: HOSTILE, message: HOSTILE, advice: HOSTILE, consumers: [consumer(HOSTILE, 'BROKEN'), consumer(`safe ${HOSTILE}`, 'SAFE')] })));
  const lines = comment.trimEnd().split('\n');

  it('stay in their cell', () => {
    const rows = lines.filter((line) => line.startsWith('| error'));
    expect(rows).toHaveLength(1);
    expect(rows[0]!.replaceAll(/\\[\\|]/g, '').split('|')).toHaveLength(8); // six cells between seven bars
    expect(lines.filter((line) => line.includes('octocat')).every((line) => /^(\| error|- )/.test(line))).toBe(true);
  });

  it('call nobody, link nothing and open no element', () => {
    expect(comment).toContain('@\u200boctocat');
    expect(comment).not.toMatch(/[@#]\w/);
    expect(comment.replaceAll(/<!-- factline contracts check -->|<\/?(details|summary)>|<br>/g, '')).not.toMatch(/[<>]/);
    expect(comment).toContain(String.raw`\[x\](y)`);
    expect(comment).not.toMatch(/(?<!\\)`c/);
  });
});

describe('a comment that GitHub would refuse', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => finding({ severity: index < count - 3 ? 'warning' : 'error', field: `field${index}`, advice: `Advice ${index}`, consumers: [consumer(`app${index}`, 'DEGRADED'), consumer(`quiet${index}`, 'SAFE')] }));

  it('keeps the gravest findings, and says how many of each list are left out', () => {
    const comment = told(markdown, resultOf(...many(2_000)));
    const rows = comment.split('\n').filter((line) => /^\| (error|warning) /.test(line));
    const left = Number(/^\*\*([\d,]+) more findings\*\* are not in this comment/m.exec(comment)![1]!.replaceAll(',', ''));
    expect(comment.length).toBeLessThan(GITHUB_CHARACTERS - 1_000);
    expect(rows.slice(0, 4).map((row) => row.slice(2, 7))).toEqual(['error', 'error', 'error', 'warni']);
    expect(rows.length).toBeGreaterThan(100);
    expect(rows.length + left).toBe(2_000);
    for (const [kept, more] of [[/^- \*\*app/gm, /^- and ([\d,]+) more lines of this list$/m], [/^- `field-removed`: /gm, /^- and ([\d,]+) more; /m], [/^- quiet/gm, /^- and ([\d,]+) more$/m]] as const) {
      expect(comment.match(kept)!.length + Number(more.exec(comment)![1]!.replaceAll(',', ''))).toBe(2_000);
    }
  });

  it('leaves nothing out that fits', () => {
    expect(told(markdown, resultOf(...many(20)))).not.toMatch(/\bmore\b/);
  });

  it('is cut by a single finding as well', () => {
    const comment = told(markdown, resultOf(finding({ message: 'x'.repeat(GITHUB_CHARACTERS) })));
    expect(comment.length).toBeLessThan(GITHUB_CHARACTERS);
    expect(comment).toContain('**1 more findings** are not in this comment');
  });
});
