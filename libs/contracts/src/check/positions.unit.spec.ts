import { positionsOf } from './positions.js';

const SCHEMA = `{
  "type": "record",
  "name": "Made",
\t"fields": [
    { "name": "meta", "type": "factline.Meta" },
    { "name": "state", "type": { "type": "enum", "symbols": ["A", "B"] } }
  ],
  "a/b~c": { "": [ ] }
}
`;

const CONTRACT = `# what payroll reads
app: payroll
consumes:
  - fact: hr.Created
    select: [id, name]
    purpose: >
      Whom to pay.
  - fact: hr.Moved
    select:
      - id
      - 'home.city'
    purpose:
`;

/** The text from a position on: what a reader sees there. */
function textAt(text: string, position: { line: number; column: number } | undefined, characters: number): string | undefined {
  return position && text.split('\n')[position.line - 1]!.slice(position.column - 1, position.column - 1 + characters);
}

describe('positions in JSON', () => {
  const positions = positionsOf(SCHEMA);

  it.each([
    ['', 1, 1],
    ['/type', 2, 11],
    ['/fields', 4, 12],
    ['/fields/1', 6, 5],
    ['/fields/1/type/symbols/1', 6, 67],
    ['/a~1b~0c', 8, 12],
    ['/a~1b~0c/', 8, 18],
  ])('of %j are those of its value', (pointer, line, column) => {
    expect(positions.at(pointer)).toEqual({ line, column });
  });

  it('are of the nearest value around what is not there', () => {
    for (const gone of ['/fields/1/default', '/fields/1/default/x/y']) expect(positions.at(gone)).toEqual(positions.at('/fields/1'));
    for (const gone of ['/fields/2', '/fields/01', '/fields/-', '/fields/name/x']) expect(positions.at(gone)).toEqual(positions.at('/fields'));
    expect(positions.at('/type/0')).toEqual(positions.at('/type'));
    expect(positions.at('/none')).toEqual({ line: 1, column: 1 });
  });

  it('of a key are where the key is, if there is one', () => {
    expect(textAt(SCHEMA, positions.keyAt('/fields/1/type'), 8)).toBe('"type": ');
    expect(textAt(SCHEMA, positions.keyAt('/fields/1/type/symbols'), 9)).toBe('"symbols"');
    expect(positions.keyAt('/fields/1')).toEqual(positions.at('/fields/1'));
    expect(positions.keyAt('/fields/1/none')).toEqual(positions.at('/fields/1'));
    expect(positions.keyAt('')).toEqual({ line: 1, column: 1 });
  });

  it('tell an escaped ~1 in a key from a slash', () => {
    expect(positionsOf('{"~1": 1, "/": 2}').at('/~01')).toEqual({ line: 1, column: 8 });
    expect(positionsOf('{"~1": 1, "/": 2}').at('/~1')).toEqual({ line: 1, column: 16 });
  });

  it('count UTF-16 units, know both line ends, and take the last of two equal keys', () => {
    expect(positionsOf('{"\\ud83d\\ude00": "😀", "b": 1}').at('/b')).toEqual({ line: 1, column: 29 });
    expect(positionsOf('{"\\ud83d\\ude00": "x"}').at('/😀')).toEqual({ line: 1, column: 18 });
    expect(positionsOf('{\r\n  "a": 1,\r\n  "a": 2\r\n}').at('/a')).toEqual({ line: 3, column: 8 });
  });
});

describe('positions in YAML', () => {
  const positions = positionsOf(CONTRACT);

  it.each([
    ['/app', 'payroll'],
    ['/consumes/0/select/1', 'name'],
    ['/consumes/1', 'fact: hr.Moved'],
    ['/consumes/1/select/1', "'home.city'"],
    ['/consumes/0/purpose', '>'],
  ])('of %j are those of its value', (pointer, text) => {
    expect(textAt(CONTRACT, positions.at(pointer), text.length)).toBe(text);
  });

  it('of a value that is left empty are where it would be', () => {
    expect(positions.at('/consumes/1/purpose')).toMatchObject({ line: 12 });
    expect(textAt(CONTRACT, positions.keyAt('/consumes/1/purpose'), 8)).toBe('purpose:');
  });

  it('follow an alias into what it stands for', () => {
    const text = 'all: &all\n  select: [id]\none: *all\n';
    expect(positionsOf(text).at('/one')).toEqual({ line: 3, column: 6 });
    expect(positionsOf(text).at('/one/select/0')).toEqual({ line: 2, column: 12 });
    expect(positionsOf('all: &all [id]\none: *all\n').at('/one/0')).toEqual({ line: 1, column: 12 });
  });

  it('are there for a text that is not valid, and not for an empty one', () => {
    expect(positionsOf('app: x\nconsumes: [\nowner: y\n').at('/app')).toEqual({ line: 1, column: 6 });
    expect(positionsOf('# nothing\n').at('')).toBeUndefined();
    expect(positionsOf('').keyAt('/app')).toBeUndefined();
  });
});

describe('the pointer of a path in an error', () => {
  it.each([
    ['$', ''],
    ['$.fields[1].type.symbols[0]', '/fields/1/type/symbols/0'],
    ['$.a/b~c', '/a~1b~0c'],
    ['$[0][1]', '/0/1'],
    ['$.not.there[7]', '/not/there/7'],
    ['$.[odd].', '/[odd]'],
  ])('%s is %j', (path, pointer) => {
    expect(positionsOf(SCHEMA).pointerOf(path)).toBe(pointer);
    expect(positionsOf('').pointerOf(path)).toBe(pointer);
  });

  it('keeps a key whole that holds dots or brackets, as far as the text knows it', () => {
    const text = 'subjects:\n  hr: FULL\n  hr.Created: NONE\n  hr.Created[0]: {x: 1}\n';
    const positions = positionsOf(text);
    expect(positions.pointerOf('$.subjects.hr.Created')).toBe('/subjects/hr.Created');
    expect(positions.at(positions.pointerOf('$.subjects.hr.Created'))).toEqual({ line: 3, column: 15 });
    expect(positions.pointerOf('$.subjects.hr.Created[0].x')).toBe('/subjects/hr.Created[0]/x');
    expect(positions.pointerOf('$.subjects.hr.Moved')).toBe('/subjects/hr/Moved');
    expect(positionsOf('').pointerOf('$.subjects.hr.Created')).toBe('/subjects/hr/Created');
  });
});
