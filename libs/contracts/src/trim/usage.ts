import { dirname } from 'node:path/posix';
import { simpleNameOf } from '../avro-json.js';
import type { FileTree } from '../trees/tree.js';
import type { RawConsumption, RawContract } from '../raw-contract.js';
import type { DeclaredSchemas } from '../schemas.js';
import { allFields } from '../selection.js';
import { AppSources, namesGenerated } from './app-sources.js';
import { Following } from './following.js';
import { ReadFields } from './read-fields.js';
import type { Source } from './source.js';
import { type Node, type Parse, isFunction, isWrapper, nodeIn, nodesIn, propertyName } from './syntax.js';

/** What the code of an app does with one fact that its contract lists. */
export interface Usage {
  readonly entry: RawConsumption;
  /** Selected fields that no code reads; the key field is not among them, for everybody who gets the fact gets its key. */
  readonly unread: readonly string[];
  /** Whether any code names the fact. */
  readonly used: boolean;
  /** Where the fact goes that it could not be followed: then all of its fields count as read. `file:line`, or the folder when nothing in it imports the generated file. */
  readonly lost?: string;
}

/**
 * What the code of one app reads of each fact that its contract lists, without running it: from the generated constants, through their handlers, to properties.
 * It errs to one side. A field called unread is read nowhere in the app's folder; one called read may be passed to something that drops it.
 */
export async function usagesOf(contract: RawContract, schemas: DeclaredSchemas, tree: FileTree, parse: Parse): Promise<Usage[]> {
  if (contract.consumes.length === 0) return [];
  const folder = dirname(contract.file);
  const sources = await AppSources.of(tree, folder, parse);
  const produced = new Set(contract.produces.map(({ name }) => name));
  return contract.consumes.flatMap((entry) => {
    const fact = schemas.facts.get(entry.fact);
    if (!fact) return []; // said elsewhere
    const selected = entry.select === '*' ? allFields(fact.schema) : entry.select.map(({ field }) => field);
    const constant = `${simpleNameOf(entry.fact)}${produced.has(entry.fact) ? 'Selected' : ''}`;
    const search = new Search(folder, sources, constant, new ReadFields(selected));
    const { used, lost } = search.run();
    return [{ entry, used, unread: lost === undefined && used ? search.fields.unread().filter((field) => field !== fact.topic.keyField) : [], ...(lost !== undefined && { lost }) }];
  });
}

/** Looks for one generated constant in all files of an app. */
class Search {
  readonly #following: Following;
  #used = false;
  #lost: string | undefined;

  constructor(
    private readonly folder: string,
    private readonly sources: AppSources,
    private readonly constant: string,
    readonly fields: ReadFields,
  ) {
    this.#following = new Following(fields, (source, name) => sources.function(source, name));
  }

  run(): { used: boolean; lost: string | undefined } {
    const importing = this.sources.holding('contracts.generated');
    if (importing.length === 0) this.#lose(this.folder); // its code is somewhere else
    for (const { file, source } of importing) {
      const loose = source?.texts.find(({ text }) => namesGenerated(text));
      if (!source) this.#lose(`${file}:1`);
      else if (loose) this.#lose(`${file}:${source.lineOf(loose.node)}`); // handed on or loaded at run time: its names may be used anywhere
    }
    for (const { file, source } of this.sources.holding(this.constant)) {
      if (!source) this.#lose(`${file}:1`);
      else for (const use of usesOf(source, this.constant)) this.#use(source, use);
    }
    for (const { source } of importing) {
      for (const [name, imported] of source?.imports ?? []) {
        if (imported.name === '*' && namesGenerated(imported.module)) for (const use of source!.usesOf(name)) this.#member(source!, use);
      }
    }
    return { used: this.#used || this.#lost !== undefined, lost: this.#lost };
  }

  /** `facts.EmployeeCreated`; a namespace that is used in any other way may give out any fact. */
  #member(source: Source, namespace: Node): void {
    const around = source.parentOf(namespace);
    if (around?.type !== 'MemberExpression' || around['object'] !== namespace) return this.#lose(at(source, namespace));
    const name = propertyName(around, 'property');
    if (name === undefined) this.#lose(at(source, namespace));
    else if (name === this.constant) this.#use(source, around);
  }

  #use(source: Source, constant: Node): void {
    this.#used = true;
    const given = argumentOf(source, constant);
    const call = source.parentOf(given);
    if (call?.type !== 'CallExpression' || call['callee'] === given) return this.#lose(at(source, constant));
    const candidates = handlersOf(source, call, given);
    const handlers = candidates.flatMap((node) => this.#function(source, node) ?? []);
    if (handlers.length === 0 || handlers.length < candidates.length) return this.#lose(at(source, constant));
    const follow = isFold(source, call, given) ? 'fold' : 'handler';
    for (const handler of handlers) this.#following[follow](handler.source, handler.node);
  }

  #function(source: Source, node: Node): { source: Source; node: Node } | undefined {
    if (node.type === 'Identifier') return this.sources.function(source, String(node['name']));
    return isFunction(node) ? { source, node } : undefined;
  }

  #lose(place: string): void {
    this.#lost ??= place;
  }
}

function at(source: Source, node: Node): string {
  return `${source.file}:${source.lineOf(node)}`;
}

/** Uses of the constant under the name it has in the file. Where the name comes from somewhere else it may still be the same constant, and is looked at as well. */
function usesOf(source: Source, constant: string): readonly Node[] {
  const locals = [...source.imports].filter(([, { module, name }]) => name === constant && namesGenerated(module)).map(([local]) => local);
  return [...new Set([constant, ...locals])].flatMap((name) => source.usesOf(name));
}

/** The argument that a constant is: itself, or `{ ...EmployeeCreated, topic }`. */
function argumentOf(source: Source, constant: Node): Node {
  let node = constant;
  for (let around = source.parentOf(node); around; around = source.parentOf(node)) {
    if (around.type === 'SpreadElement' && source.parentOf(around)?.type === 'ObjectExpression') node = source.parentOf(around)!;
    else if (isWrapper(around)) node = around;
    else break;
  }
  return node;
}

/** The other arguments of the call, or the method that it decorates: `@OnFact(EmployeeCreated) hired(fact) {}`. */
function handlersOf(source: Source, call: Node, given: Node): Node[] {
  const decorator = source.parentOf(call);
  const method = decorator?.type === 'Decorator' ? source.parentOf(decorator) : undefined;
  const decorated = method?.type === 'MethodDefinition' ? nodeIn(method, 'value') : undefined;
  return decorated ? [decorated] : nodesIn(call['arguments']).filter((argument) => argument !== given);
}

/** Whether it is `projection(...).on(fact, fold)`, whose folds get the row first and the fact second. */
function isFold(source: Source, call: Node, given: Node): boolean {
  return nodesIn(call['arguments'])[0] === given && isProjection(source, call);
}

function isProjection(source: Source, call: Node): boolean {
  for (let node: Node | undefined = call; node?.type === 'CallExpression'; ) {
    const callee: Node = nodeIn(node, 'callee')!;
    const imported = callee.type === 'Identifier' ? source.importNamed(String(callee['name'])) : undefined;
    if (imported) return imported.module === 'factline/projections' && imported.name === 'projection';
    node = callee.type === 'MemberExpression' && propertyName(callee, 'property') === 'on' ? nodeIn(callee, 'object') : undefined;
  }
  return false;
}
