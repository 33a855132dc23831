import { type Deprecation, deprecationText } from '../evolve/annotation.js';
import { type Html, html, joined, nothing } from './html.js';
import type { Catalogue, CatalogueFact } from './graph.js';

/** In every page: by it a page of the last run is told from files that are somebody else's. */
export const GENERATOR = 'factline contracts catalogue';

/** What pages look up, and what may be linked to. `root` is the way from a page to the folder of the catalogue. */
export class Site {
  readonly facts: ReadonlyMap<string, CatalogueFact>;
  readonly topics: ReadonlyMap<string, Catalogue['topics'][number]>;
  readonly #apps: ReadonlySet<string>;

  constructor(readonly catalogue: Catalogue) {
    this.facts = new Map(catalogue.facts.map((fact) => [fact.name, fact]));
    this.topics = new Map(catalogue.topics.map((topic) => [topic.name, topic]));
    this.#apps = new Set(catalogue.apps.map(({ name }) => name));
  }

  /** A name that has no page is a name. */
  app(name: string, root: string): Html {
    return this.#apps.has(name) ? html`<a href="${root}apps/${encodeURIComponent(name)}.html">${name}</a>` : html`${name}`;
  }

  fact(name: string, root: string): Html {
    return this.facts.has(name) ? html`<a href="${root}facts/${encodeURIComponent(name)}.html">${breakable(name)}</a>` : breakable(name);
  }
}

/** A whole page. Its style and script lie beside it, and nothing else is loaded or run, whatever a schema says. */
export function page(title: string, root: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="${GENERATOR}">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; form-action 'none'">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="stylesheet" href="${root}catalogue.css">
<script src="${root}catalogue.js" defer></script>
</head>
<body>
<a class="skip" href="#content">To the content</a>
<header><nav aria-label="Catalogue"><a href="${root}index.html">Facts and apps</a> <a href="${root}catalogue.json">Graph as JSON</a></nav></header>
<main id="content">
${body}
</main>
</body>
</html>
`.text;
}

/** A long name may break after its dots and before its capitals. */
export function breakable(name: string): Html {
  return joined(name.split(/(?<=\.)|(?=[A-Z][a-z])/).map((part) => html`${part}`), '<wbr>');
}

export function code(text: string): Html {
  return html`<code>${breakable(text)}</code>`;
}

export function chips(texts: readonly string[], kind: string): Html {
  return joined(texts.map((text) => html`<span class="chip ${kind}">${text}</span>`), ' ');
}

/** Label and value, those without a value left out. */
export function facts(entries: readonly (readonly [string, Html | undefined])[]): Html {
  const known = entries.flatMap(([label, value]) => (value === undefined ? [] : [html`<div><dt>${label}</dt><dd>${value}</dd></div>`]));
  return known.length === 0 ? nothing : html`<dl>${known}</dl>`;
}

export function deprecationNote(deprecation: Deprecation): Html {
  return html`<span class="chip warn">deprecated</span> ${deprecationText(deprecation)}`;
}

/** What a graph says of an environment, or undefined: an environment may be called `constructor`, which every object has. */
export function ownOf<T>(byEnvironment: Readonly<Record<string, T>>, environment: string): T | undefined {
  return Object.hasOwn(byEnvironment, environment) ? byEnvironment[environment] : undefined;
}
