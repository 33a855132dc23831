import { FactlineError, messageOf } from 'factline/kernel';

/** A node of a syntax tree: ESTree with TypeScript (https://github.com/estree/estree), as oxc-parser gives it. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [part: string]: unknown;
}

/** @returns undefined for a text with errors of syntax. */
export type Parse = (file: string, text: string) => Node | undefined;

/** @throws FactlineError `trim.parser-missing` (configuration): the parser is an optional peer, since nothing else needs one. */
export async function loadParser(): Promise<Parse> {
  try {
    const { parseSync } = await import('oxc-parser');
    return (file, text) => {
      const { program, errors } = parseSync(file, text);
      return errors.length > 0 ? undefined : (program as unknown as Node);
    };
  } catch (error) {
    throw new FactlineError({
      code: 'trim.parser-missing',
      kind: 'configuration',
      message: `What code reads cannot be found out: oxc-parser is not installed, or not for this platform (${messageOf(error)}).`,
      advice: 'Run: npm install --save-dev oxc-parser',
      cause: error,
    });
  }
}

/** Parts that hold types: what they name is not there when the code runs. */
const TYPE_PARTS = new Set(['typeAnnotation', 'typeArguments', 'typeParameters', 'returnType', 'superTypeArguments', 'implements']);
const TYPE_NODES = new Set(['TSTypeAliasDeclaration', 'TSInterfaceDeclaration']);

/** Nodes directly below, types left out. */
export function childrenOf(node: Node): Node[] {
  return Object.entries(node).flatMap(([part, value]) => (TYPE_PARTS.has(part) ? [] : nodesIn(value).filter(({ type }) => !TYPE_NODES.has(type))));
}

export function nodesIn(value: unknown): Node[] {
  return (Array.isArray(value) ? value : [value]).filter((each): each is Node => typeof each === 'object' && each !== null && typeof (each as Node).type === 'string');
}

export function nodeIn(node: Node, part: string): Node | undefined {
  return nodesIn(node[part])[0];
}

const FUNCTIONS = new Set(['ArrowFunctionExpression', 'FunctionExpression', 'FunctionDeclaration']);

export function isFunction(node: Node | undefined): node is Node {
  return node !== undefined && FUNCTIONS.has(node.type);
}

/** Around an expression, and nothing but the same value: `(x)`, `x!`, `x as T`, `a?.b`. */
const WRAPPERS = new Set(['ParenthesizedExpression', 'ChainExpression', 'TSNonNullExpression', 'TSAsExpression', 'TSSatisfiesExpression', 'TSTypeAssertion', 'TSInstantiationExpression']);

export function isWrapper(node: Node): boolean {
  return WRAPPERS.has(node.type);
}

/** The name of a property where the code says it: `x.name`, `x['name']`, `{ name: y }`; undefined for a computed one. */
export function propertyName(node: Node, part: 'property' | 'key'): string | undefined {
  const named = nodeIn(node, part);
  if (!named) return undefined;
  if (named.type === 'Identifier') return node['computed'] === true ? undefined : String(named['name']);
  return named.type === 'Literal' && typeof named['value'] === 'string' ? named['value'] : undefined;
}
