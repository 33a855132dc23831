import type { DeclaredChange } from 'factline/contracts/evolve';
import { jsonOf, textOf } from './changes.js';
import { markdownOf } from './changes-markdown.js';
import { BASE, HOSTILE, consumer } from './report.spec.support.js';

const GITHUB_CHARACTERS = 65_536;

function change(more: Partial<DeclaredChange> = {}): DeclaredChange {
  return { of: 'fact', name: 'shop.OrderPlaced', path: 'email', kind: 'removed', message: 'it was string', place: { file: 'schemas/shop/OrderPlaced.avsc', line: 6, column: 3 }, rules: [], consumers: [], ...more };
}

const forbidden = { level: { name: 'FULL_TRANSITIVE', allows: false }, rules: ['field-removed'] } as const;
const CHANGES = [
  change({ path: 'team', kind: 'added', message: 'string | null, default null', level: { name: 'FULL_TRANSITIVE', allows: true } }),
  change({ ...forbidden, consumers: [consumer('mailer', 'BROKEN', { deployed: ['prod 4f1c2a9'] }), consumer('board', 'DEGRADED')] }),
  change({ path: 'total', kind: 'changed', message: 'unit was EUR, is USD', level: { name: 'FULL_TRANSITIVE', allows: true }, rules: ['unit-changed'], consumers: [consumer('mailer', 'DEGRADED')] }),
  change({ of: 'topic', name: 'shop.order', path: 'settings.retention.ms', kind: 'changed', message: 'was -1, is 5' }),
  change({ of: 'app', name: 'board', path: 'shop.OrderPaid', kind: 'added', message: 'reads it, selects orderId: billing' }),
];

it('tells people each change, and under it what it does to whom', () => {
  expect(textOf([{ against: BASE, changes: CHANGES }]).join('\n')).toMatchInlineSnapshot(`
"shop.OrderPlaced
  added     team  string | null, default null
  removed   email  it was string
            BREAKS mailer  selects it at apps/mailer/contracts.yaml:6, deployed to prod 4f1c2a9
            DEGRADES board  selects it at apps/board/contracts.yaml:6
            FULL_TRANSITIVE forbids it (field-removed)
  changed   total  unit was EUR, is USD
            DEGRADES mailer  selects it at apps/mailer/contracts.yaml:6
            FULL_TRANSITIVE allows it, check finds unit-changed

topic shop.order
  changed   settings.retention.ms  was -1, is 5

app board
  added     shop.OrderPaid  reads it, selects orderId: billing

5 changes of 1 facts, 1 topics and 1 apps against git 4f1c2a9 (merge base with origin/main); breaks mailer; degrades board; 1 forbidden by the level"
`);
});

it('says of each base what it found, also when that is nothing', () => {
  expect(textOf([{ against: 'lock', changes: [] }, { against: 'prod', changes: [] }])).toEqual(['0 changes of 0 facts, 0 topics and 0 apps against lock; breaks nobody', '', '0 changes of 0 facts, 0 topics and 0 apps against prod; breaks nobody']);
  expect(jsonOf([{ against: 'lock', changes: CHANGES }])).toEqual({ version: 1, bases: [{ against: 'lock', changes: CHANGES }] });
});

it('tells a reviewer what breaks first, and folds the rest', () => {
  expect(markdownOf([{ against: BASE, changes: CHANGES }]).join('\n')).toMatchInlineSnapshot(`
"<!-- factline contracts diff -->
### Declarations: breaks mailer; degrades board; 1 forbidden by the level

5 changes of 1 facts, 1 topics and 1 apps against git 4f1c2a9 (merge base with origin/main).

| what | changes | breaks | degrades | |
|---|---|---|---|---|
| \`shop.OrderPlaced\` | 1 removed, 1 changed, 1 added | **mailer** | **board** | FULL\\_TRANSITIVE forbids it (field-removed)<br>FULL\\_TRANSITIVE allows it, check finds unit-changed |
| topic shop.order | 1 changed |  |  |  |
| app board | 1 added |  |  |  |

<details><summary>Every change</summary>

| | what | | who | where |
|---|---|---|---|---|
| removed | \`shop.OrderPlaced.email\` | it was string<br>FULL\\_TRANSITIVE forbids it (field-removed) | **mailer** BROKEN (apps/mailer/contracts.yaml:6, deployed to prod 4f1c2a9)<br>**board** DEGRADED (apps/board/contracts.yaml:6) | schemas/shop/OrderPlaced.avsc:6 |
| changed | \`shop.OrderPlaced.total\` | unit was EUR, is USD<br>FULL\\_TRANSITIVE allows it, check finds unit-changed | **mailer** DEGRADED (apps/mailer/contracts.yaml:6) | schemas/shop/OrderPlaced.avsc:6 |
| added | \`shop.OrderPlaced.team\` | string \\| null, default null |  | schemas/shop/OrderPlaced.avsc:6 |
| changed | topic shop.order: settings.retention.ms | was -1, is 5 |  | schemas/shop/OrderPlaced.avsc:6 |
| added | app board: shop.OrderPaid | reads it, selects orderId: billing |  | schemas/shop/OrderPlaced.avsc:6 |

</details>"
`);
});

describe('names and messages', () => {
  const lines = markdownOf([{ against: HOSTILE, changes: [change({ name: HOSTILE, path: HOSTILE, message: HOSTILE, ...forbidden, consumers: [consumer(HOSTILE, 'BROKEN')], place: { file: HOSTILE, line: 1, column: 1 } })] }]);

  it('stay in their cell', () => {
    const rows = lines.filter((line) => line.includes('octocat') && line.startsWith('|'));
    expect(rows.map((row) => row.replaceAll(/\\[\\|]/g, '').split('|').length)).toEqual([7, 7]); // five cells between six bars
  });

  it('call nobody, link nothing and open no element', () => {
    const comment = lines.join('\n');
    expect(comment).toContain('@\u200boctocat');
    expect(comment).not.toMatch(/[@#]\w/);
    expect(comment.replaceAll(/<!-- factline contracts diff -->|<\/?(details|summary)>|<br>/g, '')).not.toMatch(/[<>]/);
    expect(comment).toContain(String.raw`\[x\](y)`);
  });
});

describe('a comment that GitHub would refuse', () => {
  const many = (number: number) => Array.from({ length: number }, (_, at) => change({ name: `shop.Fact${at}`, ...(at >= number - 3 && { ...forbidden, consumers: [consumer(`app${at}`, 'BROKEN')] }) }));

  it.each([1, 3])('keeps what breaks, and says how much is left out (%d bases)', (bases) => {
    const comment = markdownOf(Array.from({ length: bases }, () => ({ against: BASE, changes: many(2_000) }))).join('\n');
    expect(comment.length).toBeLessThan(GITHUB_CHARACTERS - 1_000);
    expect(comment.match(/^\| `shop\.Fact1999` \|.*\*\*app1999\*\*/gm)).toHaveLength(bases);
    expect(comment.match(/^\*\*[\d,]+ more\*\* are not in this table/gm)).toHaveLength(bases);
    const shown = comment.match(/^\| removed \|/gm)!.length;
    const left = [...comment.matchAll(/^\*\*([\d,]+) more changes\*\*/gm)].reduce((sum, [, number]) => sum + Number(number!.replaceAll(',', '')), 0);
    expect(shown + left).toBe(2_000 * bases);
  });

  it('leaves nothing out that fits', () => {
    expect(markdownOf([{ against: BASE, changes: many(20) }]).join('\n')).not.toMatch(/\bmore\b/);
  });
});
