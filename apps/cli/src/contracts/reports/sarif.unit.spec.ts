import { RULES } from 'factline/contracts/check';
import { BASE, EVERYTHING, HOSTILE, consumer, finding, told } from './report.spec.support.js';
import { sarif } from './sarif.js';
import { type Result, logOf, resultsOf, validate } from './sarif.spec.support.js';

const print = ({ partialFingerprints }: Result) => partialFingerprints['primaryLocationLineHash'];

it('is SARIF 2.1.0 by its schema, which refuses what is not', () => {
  const log = logOf(...EVERYTHING.findings);
  const [run] = log.runs;
  const withRegion = (region: object) => ({ ...log, runs: [{ ...run, results: [{ ...run.results[0], locations: [{ physicalLocation: { artifactLocation: { uri: 'a' }, region } }] }] }] });
  expect(validate(withRegion({ startLine: 1 }))).toBe(true);
  expect(validate(withRegion({ startLine: 0 }))).toBe(false);
  expect(validate({ ...log, runs: [{ ...run, tool: {} }] })).toBe(false);
  expect(validate({ ...log, runs: [{ ...run, nothing: 1 }] })).toBe(false);
  expect(validate({ ...log, runs: [{ ...run, results: [{ ...run.results[0], locations: [{ physicalLocation: { artifactLocation: { uri: 'a b' } } }] }] }] })).toBe(false);
  expect(logOf()).toMatchObject({ version: '2.1.0', runs: [{ results: [], invocations: [{ executionSuccessful: true }] }] });
});

it('tells each finding with its place, its apps and who answers for it', () => {
  const { tool: _tool, results, ...run } = logOf(...EVERYTHING.findings).runs[0];
  const [first, ...others] = results.map(({ ruleIndex: _index, ...result }) => result);
  expect({ ...run, results: [first] }).toMatchInlineSnapshot(`
{
  "automationDetails": {
    "id": "factline-contracts/",
  },
  "columnKind": "utf16CodeUnits",
  "invocations": [
    {
      "executionSuccessful": true,
    },
  ],
  "originalUriBaseIds": {
    "SRCROOT": {
      "description": {
        "text": "The folder that was checked: the root of the repository, or --root.",
      },
    },
  },
  "properties": {
    "against": "git 4f1c2a9 (merge base with origin/main)",
  },
  "results": [
    {
      "level": "error",
      "locations": [
        {
          "physicalLocation": {
            "artifactLocation": {
              "uri": "schemas/shop/order/OrderPlaced.avsc",
              "uriBaseId": "SRCROOT",
            },
            "region": {
              "startColumn": 5,
              "startLine": 14,
            },
          },
        },
      ],
      "message": {
        "text": "shop.OrderPlaced.customer.email breaks [mailer](1) and degrades [board](2): It was string without a default, and is gone. Against git 4f1c2a9 (merge base with origin/main). Keep it.",
      },
      "partialFingerprints": {
        "factlineFinding/v1": "defa1a91176630082eaa0cc3900898f6:1",
        "primaryLocationLineHash": "defa1a91176630082eaa0cc3900898f6:1",
      },
      "relatedLocations": [
        {
          "id": 1,
          "message": {
            "text": "mailer selects it at apps/mailer/contracts.yaml:6, deployed to prod 4f1c2a9",
          },
          "physicalLocation": {
            "artifactLocation": {
              "uri": "apps/mailer/contracts.yaml",
              "uriBaseId": "SRCROOT",
            },
            "region": {
              "startColumn": 16,
              "startLine": 6,
            },
          },
        },
        {
          "id": 2,
          "message": {
            "text": "board selects it at apps/board/contracts.yaml:6, as it was at git 4f1c2a9 (merge base with origin/main)",
          },
          "physicalLocation": {
            "artifactLocation": {
              "uri": "apps/board/contracts.yaml",
              "uriBaseId": "SRCROOT",
            },
          },
        },
      ],
      "ruleId": "field-removed",
    },
  ],
}
`);
  expect(others.map(({ level, message, suppressions }) => ({ level, text: message.text, suppressions }))).toMatchInlineSnapshot(`
[
  {
    "level": "warning",
    "suppressions": undefined,
    "text": "shop.OrderPlaced.lines[].sku degrades [board](1): Its default was "" and is "-". Against git 4f1c2a9 (merge base with origin/main). Keep it.",
  },
  {
    "level": "note",
    "suppressions": undefined,
    "text": "shop.OrderPaid: shop.OrderPaid is new. Against git 4f1c2a9 (merge base with origin/main).",
  },
  {
    "level": "note",
    "suppressions": [
      {
        "justification": "until 2026-12-31 by lea: nobody reads it",
        "kind": "external",
        "status": "accepted",
      },
    ],
    "text": "shop.OrderPlaced.note breaks [mailer](1): It was string without a default, and is gone. Against git 4f1c2a9 (merge base with origin/main). Keep it.",
  },
]
`);
});

it('has every rule, as GitHub wants it: texts of at most 1,024 characters, at most 10 tags', () => {
  const { rules } = logOf().runs[0].tool.driver;
  expect(rules.map(({ id }) => id)).toEqual(Object.keys(RULES));
  for (const { shortDescription, fullDescription, help, properties } of rules) {
    expect([shortDescription.text, fullDescription.text].every((text) => text.length > 0 && text.length <= 1_024)).toBe(true);
    expect([help.text, help.markdown].every((text) => text.includes('factline contracts explain'))).toBe(true);
    expect(properties.tags.length).toBeLessThanOrEqual(10);
  }
  const { says, why, before, after, instead } = RULES['field-removed'];
  expect(rules.find(({ id }) => id === 'field-removed')).toEqual({
    id: 'field-removed',
    shortDescription: { text: says },
    fullDescription: { text: `${says} ${why}` },
    help: {
      text: `${why}
Before: ${before}
After: ${after}
Instead: ${instead}
factline contracts explain field-removed`,
      markdown: `${why}

Before:

    ${before}

After:

    ${after}

**Instead:** ${instead}

\`factline contracts explain field-removed\``,
    },
    defaultConfiguration: { level: 'error' },
    properties: { tags: ['contracts'], precision: 'very-high', 'problem.severity': 'error' },
  });
  const results = resultsOf(...EVERYTHING.findings);
  expect(results.map(({ ruleId, ruleIndex }) => rules[ruleIndex]!.id === ruleId)).toEqual(results.map(() => true));
});

describe('fingerprints', () => {
  it('stay when lines, messages and versions move', () => {
    const [one, other] = [finding(), finding({ place: { ...finding().place, line: 99 }, message: 'Otherwise said.', against: ['lock v3'] })].map((each) => print(resultsOf(each)[0]!));
    expect(one).toBe(other);
  });

  it('differ by rule, fact, field and file, and count what is the same', () => {
    const others = [finding(), finding({ rule: 'type-changed' }), finding({ fact: 'shop.OrderPaid' }), finding({ field: 'note' }), finding({ place: { file: 'b', line: 1, column: 1 } }), finding()];
    const prints = resultsOf(...others).map(print);
    expect(new Set(prints).size).toBe(others.length);
    expect(prints.at(-1)).toBe(prints[0]!.replace(/:1$/, ':2'));
  });
});

it('writes URIs and links that names cannot break out of', () => {
  const [result] = resultsOf(finding({ fact: HOSTILE.toWellFormed(), message: `${HOSTILE} [payroll](9)`, place: { file: 'schemas/a b/c:d#ä?.avsc', line: 1, column: 1 }, consumers: [consumer('a]b', 'BROKEN')] }));
  expect(result!.locations[0].physicalLocation.artifactLocation.uri).toBe('schemas/a%20b/c%3Ad%23%C3%A4%3F.avsc');
  expect(result!.message.text).toContain(String.raw`breaks [a\]b](1)`);
  expect(result!.message.text).not.toMatch(/(?<!\\)\[payroll\]\(9\)/);
});

describe('beyond what GitHub shows', () => {
  it('keeps the gravest 5,000 findings and says how many are left out', () => {
    const findings = Array.from({ length: 5_003 }, (_, index) => finding({ severity: index < 5_000 ? 'warning' : 'error', field: `f${index}` }));
    const { results, invocations } = logOf(...findings).runs[0];
    const sentence = '3 more findings are not in this report; factline contracts check tells all of them.';
    expect(results).toHaveLength(5_000);
    expect(results.slice(0, 4).map(({ level }) => level)).toEqual(['error', 'error', 'error', 'warning']);
    expect(invocations[0]!.toolExecutionNotifications!.map(({ message }) => message.text)).toEqual([sentence]);
    expect(results.at(-1)!.message.text.endsWith(sentence)).toBe(true);
    expect(JSON.stringify(logOf(...findings.slice(3)))).not.toContain('more findings');
  });

  it('links 100 apps and counts the others', () => {
    const [result] = resultsOf(finding({ consumers: Array.from({ length: 103 }, (_, index) => consumer(`app${index}`, 'BROKEN')) }));
    expect(result!.relatedLocations.map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(result!.message.text).toContain('[app99](100) and hits 3 more apps: ');
  });
});

it('gives the same bytes for the same findings, and no line of another commit', () => {
  expect(told(sarif, EVERYTHING)).toBe(told(sarif, EVERYTHING, { terminal: true }));
  const [atBase] = resultsOf(finding({ consumers: [consumer('board', 'BROKEN', { tree: BASE })] }));
  expect(atBase!.relatedLocations[0]!.physicalLocation.region).toBeUndefined();
  expect(atBase!.relatedLocations[0]!.message!.text).toBe(`board selects it at apps/board/contracts.yaml:6, as it was at ${BASE}`);
});
