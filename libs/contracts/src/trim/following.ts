import { EITHER, FACT, type Path, type ReadFields } from './read-fields.js';
import type { Source } from './source.js';
import { type Node, isFunction, isWrapper, nodeIn, nodesIn, propertyName } from './syntax.js';

/** Finds the function that a name in a file stands for, in that file or in another of the app. */
export type FindFunction = (source: Source, name: string) => { readonly source: Source; readonly node: Node } | undefined;

/**
 * Follows one fact from the parameters of its handlers through names, destructuring and calls, and notes which of its fields are read.
 * What cannot be followed (a spread, a return, an assignment, a call of something unknown, an index that is computed) reads all that the value holds.
 */
export class Following {
  readonly #seen = new Set<string>();

  constructor(
    private readonly fields: ReadFields,
    private readonly find: FindFunction,
  ) {}

  /** A fold gets the row and then the fact. */
  fold(source: Source, node: Node): void {
    this.#arguments(source, node, [FACT]);
    this.#parameter(source, node, 1, [FACT]);
  }

  /** Any other handler gets the fact or its data, as any of its parameters. */
  handler(source: Source, node: Node): void {
    this.#arguments(source, node, [EITHER]);
    for (const parameter of nodesIn(node['params'])) this.#bind(source, node, parameter, [EITHER]);
  }

  #parameter(source: Source, node: Node, at: number, path: Path): void {
    const parameters = nodesIn(node['params']);
    const parameter = parameters[at] ?? parameters.find(({ type }) => type === 'RestElement');
    if (parameter) this.#bind(source, node, parameter, path);
  }

  /** `arguments` holds every parameter. */
  #arguments(source: Source, node: Node, path: Path): void {
    if (node.type !== 'ArrowFunctionExpression' && source.usesOf('arguments', node).length > 0) this.fields.read(path);
  }

  /** A pattern gets the value at a path. */
  #bind(source: Source, scope: Node, pattern: Node, path: Path): void {
    switch (pattern.type) {
      case 'Identifier':
        this.#follow(source, scope, String(pattern['name']), path);
        return;
      case 'AssignmentPattern':
        this.#bind(source, scope, nodeIn(pattern, 'left')!, path);
        return;
      case 'ObjectPattern':
        this.#destructure(source, scope, nodesIn(pattern['properties']), path);
        return;
      default:
        this.fields.read(path);
    }
  }

  #destructure(source: Source, scope: Node, properties: readonly Node[], path: Path): void {
    const taken = properties.map((property) => (property.type === 'Property' ? propertyName(property, 'key') : undefined));
    for (const [index, property] of properties.entries()) {
      const name = taken[index];
      if (name !== undefined) this.#step(source, scope, nodeIn(property, 'value')!, [...path, name]);
      else if (property.type === 'Property') this.fields.read(path);
      else for (const rest of this.fields.namesBelow(path).filter((each) => !taken.includes(each))) this.fields.read([...path, rest]);
    }
  }

  #step(source: Source, scope: Node, pattern: Node, path: Path): void {
    if (this.fields.holdsMore(path)) this.#bind(source, scope, pattern, path);
    else this.fields.read(path);
  }

  #follow(source: Source, scope: Node, name: string, path: Path): void {
    const step = JSON.stringify([source.file, scope.start, scope.end, name, path]);
    if (this.#seen.has(step)) return;
    this.#seen.add(step);
    for (const use of source.usesOf(name, scope)) this.#use(source, use, path);
  }

  /** An expression has the value at a path: what becomes of it. */
  #use(source: Source, expression: Node, path: Path): void {
    const around = source.parentOf(expression)!;
    if (isWrapper(around)) {
      this.#use(source, around, path);
    } else if (around.type === 'MemberExpression' && around['object'] === expression) {
      const name = propertyName(around, 'property');
      const below = name === undefined ? path : [...path, name];
      if (name !== undefined && this.fields.holdsMore(below)) this.#use(source, around, below);
      else this.fields.read(below);
    } else if (around.type === 'VariableDeclarator' && around['init'] === expression) {
      this.#bind(source, source.scopeOf(around), nodeIn(around, 'id')!, path);
    } else if (around.type === 'CallExpression' && around['callee'] !== expression) {
      this.#passed(source, around, expression, path);
    } else {
      this.fields.read(path);
    }
  }

  #passed(source: Source, call: Node, argument: Node, path: Path): void {
    const given = nodesIn(call['arguments']);
    const callee = nodeIn(call, 'callee')!;
    const found = callee.type === 'Identifier' ? this.find(source, String(callee['name'])) : undefined;
    if (!found || !isFunction(found.node) || given.some(({ type }) => type === 'SpreadElement')) {
      this.fields.read(path);
      return;
    }
    this.#arguments(found.source, found.node, path);
    this.#parameter(found.source, found.node, given.indexOf(argument), path);
  }
}
