import { FactlineError } from 'factline/kernel';
import { type Parse, loadParser } from '../trim/syntax.js';
import { usagesOf } from '../trim/usage.js';
import { type Finding, findingAt } from './finding.js';
import type { Landscape } from './landscape.js';
import type { FileTree } from '../trees/tree.js';

/**
 * Selected fields that no code of their app reads, one finding each, at the selection; and facts that no code names. Only what is certain is said: see `usagesOf`.
 * @param tree where `now` was read, with the code of the apps beside their contracts.
 * @returns undefined where it cannot be found out, because oxc-parser is not installed.
 */
export async function usageFindings(now: Landscape, tree: FileTree): Promise<Finding[] | undefined> {
  const parse = await parserIfInstalled();
  if (!parse) return undefined;
  const found: Finding[] = [];
  for (const contract of now.contracts) {
    for (const { entry, unread, used } of await usagesOf(contract, now.schemas, tree, parse)) {
      const at = (field: string, path: string) => ({ fact: entry.fact, field, place: now.places.inFile(contract.file, path) });
      const { select } = entry;
      if (!used) {
        found.push(findingAt('select-never-read', at('', entry.path), `no code of ${contract.app} uses ${entry.fact}; drop its entry`));
      } else if (select === '*') {
        if (unread.length > 0) found.push(findingAt('select-never-read', at('', `${entry.path}.select`), `${contract.app} selects all of ${entry.fact} and does not read ${unread.join(', ')}; name the fields that it reads`));
      } else {
        for (const field of unread) {
          const path = select.find((each) => each.field === field)!.path;
          found.push(findingAt('select-never-read', at(field, path), `no code of ${contract.app} reads ${field} of ${entry.fact}`));
        }
      }
    }
  }
  return found;
}

async function parserIfInstalled(): Promise<Parse | undefined> {
  try {
    return await loadParser();
  } catch (error) {
    if (error instanceof FactlineError && error.code === 'trim.parser-missing') return undefined;
    throw error;
  }
}
