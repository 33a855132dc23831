import type { RawConsumption, RawContract } from '../raw-contract.js';
import type { BareChange } from './declared-change.js';
import { type Base, type Landscape, selectOf } from './landscape.js';

/** What apps state and read otherwise than at a base, an entry for each fact. Apps that a deployment does not name do not run there: all of theirs is new. */
export function appChanges(now: Landscape, { landscapes }: Base): BareChange[] {
  if (landscapes.length === 0) return [];
  const was = new Map(landscapes.flatMap(({ contracts }) => contracts.map((contract) => [contract.app, contract] as const)));
  const is = new Map(now.contracts.map((contract) => [contract.app, contract] as const));
  return [...new Set([...was.keys(), ...is.keys()])].toSorted().flatMap((app) => {
    const [before, after] = [was.get(app), is.get(app)];
    return [...contractChange(now, before, after), ...producedChanges(now, before, after), ...consumedChanges(now, before, after)];
  });
}

type Contracts = [now: Landscape, before: RawContract | undefined, after: RawContract | undefined];

function contractChange(...[now, before, after]: Contracts): BareChange[] {
  if (!after) return [{ of: 'app', name: before!.app, path: '', kind: 'removed', message: `its owner was ${before!.owner}` }];
  const about = { of: 'app' as const, name: after.app, path: '' };
  if (!before) return [{ ...about, place: now.places.inFile(after.file), kind: 'added', message: `its owner is ${after.owner}` }];
  return before.owner === after.owner ? [] : [{ ...about, place: now.places.inFile(after.file, '$.owner'), kind: 'changed', message: `its owner was ${before.owner}, is ${after.owner}` }];
}

function producedChanges(...[now, before, after]: Contracts): BareChange[] {
  const [was, is] = [before, after].map((contract) => new Map(contract?.produces.map(({ name, path }) => [name, path])));
  const { app: name } = (after ?? before)!;
  const more = [...is!].filter(([fact]) => !was!.has(fact)).map(([path, at]): BareChange => ({ of: 'app', name, path, place: now.places.inFile(after!.file, at), kind: 'added', message: 'states it' }));
  const less = [...was!.keys()].filter((fact) => !is!.has(fact)).map((path): BareChange => ({ of: 'app', name, path, ...(after && { place: now.places.inFile(after.file, '$.produces') }), kind: 'removed', message: 'does not state it any more' }));
  return [...more, ...less];
}

function consumedChanges(...[now, before, after]: Contracts): BareChange[] {
  const [was, is] = [before, after].map((contract) => new Map(contract?.consumes.map((entry) => [entry.fact, entry])));
  const { app: name } = (after ?? before)!;
  return [...new Set([...is!.keys(), ...was!.keys()])].flatMap((path): BareChange[] => {
    const [old, entry] = [was!.get(path), is!.get(path)];
    const about = { of: 'app' as const, name, path, ...(after && { place: now.places.inFile(after.file, entry?.path ?? '$.consumes') }) };
    if (!entry) return [{ ...about, kind: 'removed', message: `does not read it any more; selected ${selected(old!).join(', ')}` }];
    if (!old) return [{ ...about, kind: 'added', message: `reads it, selects ${selected(entry).join(', ')}${granted(entry).length > 0 ? `, is granted ${granted(entry).join(', ')}` : ''}: ${entry.purpose}` }];
    const parts = [
      ...moreAndLess('selects', selected(old), selected(entry)),
      ...moreAndLess('is granted', granted(old), granted(entry)),
      ...(old.purpose === entry.purpose ? [] : [`purpose was "${old.purpose}", is "${entry.purpose}"`]),
      ...(old.reason === entry.reason || entry.reason === undefined ? [] : [`reason for all fields: "${entry.reason}"`]),
    ];
    return parts.length > 0 ? [{ ...about, kind: 'changed', message: parts.join('; ') }] : [];
  });
}

function moreAndLess(does: string, was: readonly string[], is: readonly string[]): string[] {
  const [more, less] = [is.filter((each) => !was.includes(each)), was.filter((each) => !is.includes(each))];
  return [...(more.length > 0 ? [`${does} ${more.join(', ')}`] : []), ...(less.length > 0 ? [`no longer ${does} ${less.join(', ')}`] : [])];
}

/** All fields are the selection `*`. */
function selected(entry: RawConsumption): readonly string[] {
  const select = selectOf(entry);
  return select === '*' ? ['*'] : select;
}

function granted({ grants }: RawConsumption): string[] {
  return grants.map(({ tag }) => tag);
}
