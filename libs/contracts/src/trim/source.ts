import { type Node, childrenOf, isFunction, nodeIn, nodesIn } from './syntax.js';

/** Where a name of a file comes from; `name` is `*` for all of a module. */
export interface Imported {
  readonly module: string;
  readonly name: string;
}

/** One file of an app, with what following a value needs: who holds a node, where a name is used, what is imported. */
export class Source {
  readonly imports = new Map<string, Imported>();
  /** Texts that may name a module, other than those of import declarations: `export ... from`, `import()`, `require()`. */
  readonly texts: { readonly text: string; readonly node: Node }[] = [];
  readonly #parents = new Map<Node, Node>();
  readonly #uses = new Map<string, Node[]>();
  readonly #bindings = new Map<string, number>();
  readonly #functions = new Map<string, Node>();

  constructor(
    readonly file: string,
    private readonly text: string,
    readonly program: Node,
  ) {
    const open = [program];
    for (let node = open.pop(); node; node = open.pop()) {
      this.#visit(node);
      for (const child of childrenOf(node)) {
        this.#parents.set(child, node);
        open.push(child);
      }
    }
  }

  parentOf(node: Node): Node | undefined {
    return this.#parents.get(node);
  }

  /** The function around a node, or the whole file. */
  scopeOf(node: Node): Node {
    let around = this.parentOf(node);
    while (around && !isFunction(around)) around = this.parentOf(around);
    return around ?? this.program;
  }

  /** Where a name is used inside a node. What hides it (a parameter of the same name further in) is not looked at: that finds too many uses, never too few. */
  usesOf(name: string, inside: Node = this.program): readonly Node[] {
    return (this.#uses.get(name) ?? []).filter(({ start, end }) => start >= inside.start && end <= inside.end);
  }

  /** The function that a name stands for, when nothing else in the file has that name. */
  functionNamed(name: string): Node | undefined {
    return this.#bindings.get(name) === 1 ? this.#functions.get(name) : undefined;
  }

  /** What a name was imported as, when nothing else in the file has that name. */
  importNamed(name: string): Imported | undefined {
    return this.#bindings.get(name) === 1 ? this.imports.get(name) : undefined;
  }

  lineOf({ start }: Node): number {
    return this.text.slice(0, start).split('\n').length;
  }

  #visit(node: Node): void {
    const parent = this.parentOf(node);
    if (node.type === 'Identifier' && parent) this.#name(node, parent);
    else if (node.type === 'ImportDeclaration') this.#imported(node);
    else if (node.type === 'Literal' && typeof node['value'] === 'string' && parent?.type !== 'ImportDeclaration') this.texts.push({ text: node['value'], node });
    else if (node.type === 'TemplateElement') this.texts.push({ text: String((node['value'] as { cooked?: unknown }).cooked), node });
  }

  #name(node: Node, parent: Node): void {
    const name = String(node['name']);
    const role = roleOf(node, parent, this.parentOf(parent));
    if (role === 'use') {
      const uses = this.#uses.get(name);
      if (uses) uses.push(node);
      else this.#uses.set(name, [node]);
    }
    if (role !== 'binding') return;
    this.#bindings.set(name, (this.#bindings.get(name) ?? 0) + 1);
    const value = parent.type === 'VariableDeclarator' && this.parentOf(parent)?.['kind'] === 'const' ? nodeIn(parent, 'init') : parent;
    if (isFunction(value) && (value !== parent || nodeIn(parent, 'id') === node)) this.#functions.set(name, value);
  }

  #imported(node: Node): void {
    if (node['importKind'] === 'type') return;
    const module = String(nodeIn(node, 'source')?.['value']);
    for (const specifier of nodesIn(node['specifiers'])) {
      const imported = nodeIn(specifier, 'imported');
      const name = specifier.type === 'ImportSpecifier' ? String(imported?.['name'] ?? imported?.['value']) : specifier.type === 'ImportNamespaceSpecifier' ? '*' : 'default';
      if (specifier['importKind'] !== 'type') this.imports.set(String(nodeIn(specifier, 'local')?.['name']), { module, name });
    }
  }
}

/** Whether a name makes something (`binding`), says something of it (`label`: a key, a property), or uses it. */
function roleOf(node: Node, parent: Node, around: Node | undefined): 'binding' | 'label' | 'use' {
  switch (parent.type) {
    case 'MemberExpression':
      return parent['property'] === node && parent['computed'] !== true ? 'label' : 'use';
    case 'Property':
      if (parent['value'] === node) return around?.type === 'ObjectPattern' ? 'binding' : 'use';
      return parent['computed'] === true ? 'use' : 'label';
    case 'MethodDefinition':
    case 'PropertyDefinition':
    case 'AccessorProperty':
      return parent['key'] === node && parent['computed'] !== true ? 'label' : 'use';
    case 'VariableDeclarator':
    case 'ClassDeclaration':
    case 'ClassExpression':
      return parent['id'] === node ? 'binding' : 'use';
    case 'AssignmentPattern':
      return parent['left'] === node ? 'binding' : 'use';
    case 'ImportSpecifier':
      return parent['local'] === node ? 'binding' : 'label';
    case 'ArrowFunctionExpression':
    case 'FunctionExpression':
    case 'FunctionDeclaration':
      return parent['body'] === node ? 'use' : 'binding';
    case 'ImportDefaultSpecifier':
    case 'ImportNamespaceSpecifier':
    case 'ArrayPattern':
    case 'RestElement':
    case 'CatchClause':
    case 'TSParameterProperty':
      return 'binding';
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      return 'label';
    default:
      return 'use';
  }
}
