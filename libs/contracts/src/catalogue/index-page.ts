import { breakable, chips, code, deprecationNote, page, type Site } from './frame.js';
import type { CatalogueApp, CatalogueFact } from './graph.js';
import { html, joined, nothing, type Row, table } from './html.js';

const ROOT = '';

/** The way in: every fact and every app, with a field to search them, and what every fact carries. */
export function indexPage(site: Site): string {
  const { facts, apps, meta, environments } = site.catalogue;
  return page(
    'Facts and apps',
    ROOT,
    html`<h1>Facts and apps</h1>
<p class="lead">${counted(facts.length, 'fact')}, ${counted(site.topics.size, 'topic')}, ${counted(apps.length, 'app')}${environments.length > 0 ? `; deployed: ${environments.join(', ')}` : ''}.</p>
<form class="search" role="search" hidden><label for="search">Search facts, fields, apps, tags</label> <input id="search" type="search" autocomplete="off"> <span id="found" role="status"></span></form>
<h2 id="facts">Facts</h2>
${table('Every fact', ['Fact', 'Meaning', 'Stated by', 'Read by'], facts.map((fact) => factRow(fact, site)))}
<h2 id="apps">Apps</h2>
${table('Every app', ['App', 'Owner', 'Produces', 'Consumes'], apps.map((app) => appRow(app, site)))}
<h2 id="meta">What every fact carries</h2>
<p>The first field of every fact is ${code('meta')}, of type ${code('factline.Meta')}.</p>
${table('Fields of factline.Meta', ['Field', 'Meaning'], meta.map(({ path, type, doc }) => ({ head: html`<code>${breakable(path)}</code><span class="type">${type}</span>`, cells: [html`${doc ?? ''}`] })))}`,
  );
}

function factRow({ name, doc, producer, readers, tags, declared, deprecated, topic, fields }: CatalogueFact, site: Site): Row {
  const notes = [
    ...(declared ? [] : [html`<span class="chip warn">not declared any more</span>`]),
    ...(deprecated === undefined ? [] : [deprecationNote(deprecated)]),
    ...(tags.length > 0 ? [chips(tags, 'tag')] : []),
  ];
  return {
    head: site.fact(name, ROOT),
    cells: [
      html`${doc ?? ''}${notes.length > 0 ? html` ${joined(notes, ' ')}` : nothing}<span hidden>${[topic, ...fields.map(({ path }) => path)].join(' ')}</span>`,
      site.app(producer, ROOT),
      readers.length > 0 ? joined(readers.map(({ app }) => site.app(app, ROOT)), ', ') : html`<span class="quiet">nobody</span>`,
    ],
  };
}

function appRow({ name, owner, produces, consumes, declared }: CatalogueApp, site: Site): Row {
  return {
    head: html`${site.app(name, ROOT)}${declared ? nothing : html` <span class="chip warn">not declared any more</span>`}`,
    cells: [html`${owner}`, html`${counted(produces.length, 'fact')}`, html`${counted(consumes.length, 'fact')}`],
  };
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
