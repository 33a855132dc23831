/** What of a JSON schema the generators understand. */
export interface Schema {
  $ref?: string;
  allOf?: Schema[];
  type?: string;
  enum?: readonly unknown[];
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  nullable?: boolean;
  properties?: Record<string, Schema>;
  required?: readonly string[];
  items?: Schema;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header' | 'cookie';
  schema?: Schema;
}

/** One operation of an OpenAPI document, its references followed. */
export interface Route {
  method: string;
  /** `/employees/{id}` */
  path: string;
  parameters: readonly Parameter[];
  body?: Schema;
  /** Of a body that is no JSON but a file: its media types. */
  files: readonly string[];
}

interface Operation {
  parameters?: Parameter[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
}

interface Document {
  paths: Record<string, Record<string, Operation> & { parameters?: Parameter[] }>;
  components?: { schemas?: Record<string, Schema> };
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
/** References inside references; deeper ones are cut off, as a type that contains itself must be. */
const DEPTH = 8;

/** Where services of this repository, and Nest apps by default, have their document. */
const ADDRESSES = ['/openapi.json', '/docs-json'];

/** @throws Error when there is no document: an app without one cannot be fuzzed, and must not pass for one that was. */
export async function routesOf(url: string): Promise<Route[]> {
  for (const address of ADDRESSES) {
    const answer = await fetch(`${url}${address}`);
    if (answer.ok) return routesIn((await answer.json()) as Document);
    await answer.body?.cancel();
  }
  throw new Error(`${url} has no OpenAPI document at ${ADDRESSES.join(' or ')}`);
}

function routesIn({ paths, components }: Document): Route[] {
  const resolved = (schema: Schema, depth = 0): Schema => {
    if (depth > DEPTH) return {};
    const { $ref, allOf = [], ...own } = schema;
    const parts = [...($ref ? [components?.schemas?.[$ref.split('/').at(-1)!] ?? {}] : []), ...allOf].map((part) => resolved(part, depth + 1));
    const all: Schema = Object.assign({}, ...parts, own);
    return {
      ...all,
      ...(all.properties && { properties: Object.fromEntries(Object.entries(all.properties).map(([name, property]) => [name, resolved(property, depth + 1)])) }),
      ...(all.items && { items: resolved(all.items, depth + 1) }),
    };
  };
  return Object.entries(paths).flatMap(([path, operations]) =>
    METHODS.flatMap((method) => {
      const operation = operations[method];
      if (!operation) return [];
      const content = operation.requestBody?.content ?? {};
      const body = content['application/json']?.schema;
      const files = Object.keys(content).filter((mediaType) => mediaType !== 'application/json');
      const parameters = [...(operations.parameters ?? []), ...(operation.parameters ?? [])].map((parameter) => ({ ...parameter, schema: resolved(parameter.schema ?? {}) }));
      return { method: method.toUpperCase(), path, parameters, files, ...(body && { body: resolved(body) }) };
    }),
  );
}
