/** Changes of an app's module, which people have changed as well: where its text is not as expected, nothing is guessed, and the caller says what to add by hand. */

/** With one more item in a list such as `providers: [...]`. @returns undefined when there is not exactly one such list. */
export function withListItem(text: string, list: string, item: string): string | undefined {
  const found = [...text.matchAll(new RegExp(`^([ \\t]*)(.*\\b${list}: \\[)(.*)$`, 'gm'))];
  if (found.length !== 1) return undefined;
  const [whole, indent = '', head = '', rest = ''] = found[0]!;
  const line = rest === '' ? `${indent}${head}\n${indent}  ${item},` : plainLine(rest) ? `${indent}${head}${rest.replace(/\]/, rest.startsWith(']') ? `${item}]` : `, ${item}]`)}` : `${indent}${head}${item}, ${rest}`;
  return text.replace(whole, () => line);
}

/** A list that ends on this line and holds nothing but names. */
function plainLine(rest: string): boolean {
  return /^[\w$, ]*\]/.test(rest);
}

/** With a name imported, in the statement that imports from there already, or in one behind the others. */
export function withImport(text: string, name: string, from: string): string {
  const pattern = new RegExp(`^import \\{ ([^}]*) \\} from '${from.replaceAll('.', '\\.')}';$`, 'm');
  const found = pattern.exec(text);
  if (found) {
    const names = found[1]!.split(', ');
    if (names.includes(name)) return text;
    return text.replace(pattern, () => `import { ${[...names, name].toSorted(byName).join(', ')} } from '${from}';`);
  }
  const imports = [...text.matchAll(/^import [^;]*;\n/gm)];
  const last = imports.at(-1);
  const at = last ? last.index + last[0].length : 0;
  return `${text.slice(0, at)}import { ${name} } from '${from}';\n${text.slice(at)}`;
}

function byName(one: string, other: string): number {
  const [a, b] = [one.replace('type ', ''), other.replace('type ', '')];
  return a < b ? -1 : 1;
}
